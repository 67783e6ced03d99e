// How the agent takes one snapshot. All of it runs as the agent's holder.
#include "format/recording_layout.h"
#include "preload/agent/agent.h"
#include "preload/agent/jit_map.h"
#include "preload/agent/languages.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/thread_cache.h"
#include "preload/recorder/units.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/clocks.h"
#include "preload/stack/modules.h"

namespace seep::agent {
namespace {

using recorder::g_tables;

// A snapshot that took longer than this is written by a walker beside the program the next time.
constexpr std::uint64_t kLongSnapshotNs = 2000000;
constexpr std::uint64_t kNsPerMs = 1000000;
constexpr std::uint64_t kBudgetPeriodMs = 60000;  // between two looks at the disk

// The work that was done: as the mark says, else as the program has counted, else the requests that
// an interpreter has served.
void set_units(const Request& request, format::ProcessRecord& record) {
  const std::uint64_t counted = recorder::g_units.total();
  const std::uint64_t requests = request.has_units || counted != 0 ? 0 : served_requests();
  record.units = request.has_units ? request.units : counted + requests;
  if (request.has_units || record.units != 0) {
    record.flags |= format::kHasUnits | (requests != 0 ? format::kUnitsAreRequests : 0);
  }
}

}  // namespace

void Agent::identify() {
  if (identified_) {
    return;
  }
  const std::uint64_t started = identity_.started_unix_ns;
  identify_process(identity_);
  identity_.started_unix_ns = started;
  identified_ = true;
}

// A server that drops its privileges can write its old recording no more: the new user has one of
// its own. A program that goes to and fro does not get one each time.
void Agent::follow_user() {
  if (!directory_.is_open() || directory_.is_of_this_user() || users_left_ == 0) {
    return;
  }
  --users_left_;
  answer(format::Answer::kFailed, 0);
  publish_status(format::AgentState::kEnded);
  directory_.leave();
  schedule_.configure(kept_, settings_.keep, settings_.interval_auto, settings_.interval_ms);
  sequence_ = 0;
  seen_request_.store(0, std::memory_order_relaxed);
  identified_ = false;
}

bool Agent::open_recording() {
  follow_user();
  identify();
  if (!directory_.is_open()) {
    if (!directory_.open(identity_)) {
      return false;
    }
    tracker_bytes_ = runtime::resident_bytes();
    publish_status(published_state());
  }
  return true;
}

// Takes a snapshot, or starts the walker that does; false where there is no place for it. The time
// of a paused recording stands still.
bool Agent::take(const Request& request, std::uint64_t clock_ms) {
  const std::uint64_t now_ms = state() == RecordingState::kPaused ? paused_ms_ : clock_ms;
  const std::uint64_t begin = runtime::thread_cpu_ns();
  target_ = open_recording() ? directory_.descriptor() : -1;
  if (target_ < 0) {
    recorder::count_loss(format::Loss::snapshots_failed);
    schedule_.plan_next(now_ms - origin_ms_.load(std::memory_order_relaxed), last_cost_ns_);
    settles_.fetch_add(1, std::memory_order_release);
    answer(format::Answer::kFailed, 0);
    return false;
  }
  stack::refresh_changed_modules();
  if (const char* why = take_script_refusal(); why != nullptr) {
    runtime::Text<256> line;
    directory_.log(line.add("no frames of scripts: ").add(runtime::view_of(why)).view());
  }
  prepare(request, now_ms);
  if (!request.wait && take_with_scan(begin)) {
    return true;
  }
  if (request.wait || last_cost_ns_ < kLongSnapshotNs || !start_walker(begin)) {
    thread_cost_ns_ = 0;
    write_prepared(begin);
  }
  return true;
}

bool Agent::start_walker(std::uint64_t begin_ns) {
  if (walker_.running()) {
    return false;
  }
  thread_cost_ns_ = runtime::thread_cpu_ns() - begin_ns;
  holders_.fetch_add(1, std::memory_order_relaxed);
  if (!walker_.start(walk_beside, this, target_)) {
    leave();
    return false;
  }
  return true;
}

void Agent::prepare(const Request& request, std::uint64_t now_ms) {
  description_ = {};
  format::ProcessRecord& record = description_.process;
  record.run_id = identity_.run_id;
  record.started_unix_ns = identity_.started_unix_ns;
  record.time_ms = now_ms - origin_ms_.load(std::memory_order_relaxed);
  record.start_ticks = identity_.start_ticks;
  set_units(request, record);
  record.sequence = ++sequence_;
  record.trigger = static_cast<std::uint32_t>(request.trigger);
  record.mode =
      static_cast<std::uint32_t>(settings_.sample ? format::Mode::kSample : format::Mode::kExact);
  record.sample_bytes = settings_.sample ? settings_.sample_bytes : 0;
  record.flags |= (forked_ ? format::kForkedImage : 0) |
                  (identity_.started_directly ? format::kStartedDirectly : 0) | gaps_;
  record.pid = identity_.pid;
  record.host_pid = identity_.host_pid;
  record.parent_pid = identity_.parent_pid;
  record.uid = identity_.uid;
  record.image = directory_.image();
  record.end = static_cast<std::uint32_t>(request.end);
  record.end_status = request.end_status;
  recorder::g_losses[static_cast<std::uint32_t>(format::Loss::modules_not_recorded)].store(
      stack::modules_not_recorded(), std::memory_order_relaxed);
  description_.exe = identity_.exe.view();
  description_.command = identity_.command.view();
  description_.host = identity_.host.view();
  description_.mark = request.mark;
  description_.unit = recorder::g_units.name();
  description_.end_function = request.end_function;
  description_.now_tick = static_cast<std::uint32_t>(now_ms >> recorder::kTickShift);
  description_.fork_tick = fork_tick_;
  description_.limits = known_limits(limit_bytes_);
  description_.births_at_fork = births_at_fork_;
  description_.births_at_fork_count = births_at_fork_count_;
  prepared_ms_ = record.time_ms;
}

void Agent::walk_beside(void* agent, int directory) {
  auto* self = static_cast<Agent*>(agent);
  self->target_ = directory;
  self->write_prepared(runtime::thread_cpu_ns());
  self->leave();
}

// In the calling thread or in the walker, where target_ is the working directory. Its cost counts
// from `begin_ns` of the thread's time.
void Agent::write_prepared(std::uint64_t begin_ns) {
  const snapshot::Outcome outcome =
      snapshot::write(target_, snapshot_name(sequence_).c_str(), description_, g_tables);
  keep_within_budget();
  last_cost_ns_ = thread_cost_ns_ + (runtime::thread_cpu_ns() - begin_ns);
  total_cost_ns_ += last_cost_ns_;
  settle(outcome);
}

// The process that was started directly looks at once; every other only when it gets old.
void Agent::keep_within_budget() {
  const bool first = identity_.started_directly && sequence_ == 1;
  if (!first && prepared_ms_ - budget_ms_ < kBudgetPeriodMs) {
    return;
  }
  budget_ms_ = prepared_ms_;
  const unsigned removed = directory_.enforce_budget(settings_.disk_bytes);
  recorder::g_losses[static_cast<std::uint32_t>(format::Loss::recordings_removed)].fetch_add(
      removed, std::memory_order_relaxed);
}

// What the program's compilers had told of their code by now. A file of an earlier image, before an
// exec, is as stale as one of an earlier process.
void Agent::keep_jit_map() {
  if (target_ < 0) {
    return;
  }
  const runtime::Text<64> path = jit_map_path(current_pid());
  const JitMapCopy copy =
      copy_jit_map({path.c_str(), target_, current_uid(), runtime::unix_ns() - age_ms() * kNsPerMs,
                    format::kMostJitMapBytes});
  if (const std::string_view meaning = meaning_of(copy); !meaning.empty()) {
    runtime::Text<256> line;
    directory_.log(line.add(path.view()).add(" ").add(meaning).view());
  }
}

void Agent::settle(const snapshot::Outcome& outcome) {
  if (outcome.error != 0) {
    recorder::count_loss(format::Loss::snapshots_failed);
    failed_settle_.store(settles_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    tracker_bytes_ = runtime::resident_bytes();
  } else {
    tracker_bytes_ = outcome.tracker_bytes;
    live_blocks_ = outcome.live_blocks;
    live_bytes_ = outcome.live_bytes;
    const std::uint32_t victim =
        schedule_.add({sequence_, description_.process.trigger, prepared_ms_, live_bytes_});
    if (victim != 0) {
      remove_snapshot(target_, victim);
    }
  }
  schedule_.plan_next(prepared_ms_, last_cost_ns_);
  publish_status(published_state());
  tell_limit(outcome.error == 0);
  settles_.fetch_add(1, std::memory_order_release);
  answer(outcome.error == 0 ? format::Answer::kDone : format::Answer::kFailed, sequence_);
}

void Agent::publish_status(format::AgentState state) {
  format::ControlPage* control = directory_.control();
  if (control == nullptr) {
    return;
  }
  control->updated_ms = prepared_ms_;
  control->last_sequence = sequence_;
  control->snapshots_kept = static_cast<std::uint32_t>(schedule_.kept());
  control->live_blocks = live_blocks_;
  control->live_bytes = live_bytes_;
  control->sites = g_tables.sites.count() - 1;
  control->stack_nodes = g_tables.stacks.count() - 1;
  control->tracker_bytes = tracker_bytes_;
  control->snapshot_ns = total_cost_ns_;
  for (std::uint32_t id = 0; id < format::kLossCount; ++id) {
    control->losses[id] = recorder::g_losses[id].load(std::memory_order_relaxed);
  }
  for (std::uint32_t id = 0; id < format::kCaptureCountCount; ++id) {
    control->captures[id] = recorder::total_capture_count(static_cast<format::CaptureCount>(id));
  }
  runtime::copy_text(control->inactive_settings, sizeof(control->inactive_settings),
                     settings_.inactive.view());
  __atomic_store_n(&control->state, static_cast<std::uint32_t>(state), __ATOMIC_RELEASE);
}

}  // namespace seep::agent
