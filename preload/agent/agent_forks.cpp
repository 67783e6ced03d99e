// What a fork costs, and what its child begins with.
#include "preload/agent/agent.h"
#include "preload/agent/languages.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/units.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/clocks.h"

namespace seep::agent {

using recorder::g_tables;

// Again whenever there were twice as many: what was written beside a living child is on small pages
// again, and the tables may have grown.
void Agent::on_fork() {
  const unsigned forks = forks_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (active_ && !confined_.load(std::memory_order_relaxed) && forks >= kManyForks &&
      (forks & (forks - 1)) == 0) {
    g_tables.blocks.use_huge_pages();
    g_tables.pools.use_huge_pages();
  }
}

// Most children exec at once: what takes time is left until a snapshot is due.
void Agent::on_fork_child(bool alone) {
  if (!active_) {
    return;
  }
  walker_.forget();
  runtime::g_copy_task.forget();
  directory_.forget();
  watch_again();
  if (settings_.children == Children::kNone) {
    active_ = false;
    recorder::set_mode(recorder::Mode::kDormant);
    return;
  }
  forked_ = true;
  identified_ = false;
  identity_.parent_pid = identity_.pid;
  identity_.pid = current_pid();
  identity_.started_directly = false;
  identity_.started_unix_ns = runtime::unix_ns();
  fork_tick_ = recorder::recover_after_fork(alone);
  recover_languages_after_fork();
  recorder::g_units.restart();
  began_ms_ = recorder::Clock::monotonic_ms();
  paused_ms_ = std::uint64_t{fork_tick_} << recorder::kTickShift;
  origin_ms_.store(paused_ms_, std::memory_order_relaxed);
  next_size_look_ms_.store(0, std::memory_order_relaxed);
  births_pending_.store(!is_dormant(), std::memory_order_relaxed);
  begin_image();
}

// The births of the parent, by site: what the child adds to them is its own.
void Agent::remember_births() {
  births_pending_.store(false, std::memory_order_relaxed);
  if (births_at_fork_ != nullptr) {
    runtime::unmap_pages(births_at_fork_, births_at_fork_count_ * sizeof(recorder::Births));
  }
  births_at_fork_count_ = g_tables.sites.count();
  births_at_fork_ = static_cast<recorder::Births*>(
      runtime::map_pages(births_at_fork_count_ * sizeof(recorder::Births)));
  if (births_at_fork_ == nullptr) {
    births_at_fork_count_ = 0;
    return;
  }
  recorder::births_of_sites(g_tables.sites, births_at_fork_, births_at_fork_count_);
}

// A fork by raw system call runs no handler: the wiped page tells.
void Agent::notice_raw_fork() {
  if (wiped_on_fork_ != nullptr && __atomic_load_n(wiped_on_fork_, __ATOMIC_RELAXED) == 0 &&
      __atomic_exchange_n(wiped_on_fork_, 1, __ATOMIC_ACQ_REL) == 0) {  // one thread notices it
    on_fork_child(/*alone=*/false);
  }
}

// False in the child of a vfork, which runs in our memory: its exit or exec is not ours.
bool Agent::is_own_process() {
  notice_raw_fork();
  return identity_.pid == current_pid();
}

}  // namespace seep::agent
