#include "preload/agent/agent.h"

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "format/recording_layout.h"
#include "preload/agent/environment.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"
#include "preload/snapshot/accounting.h"
#include "preload/stack/modules.h"

namespace seep::agent {
namespace {

using recorder::g_clock;
using recorder::g_tables;
using runtime::as_argument;
using runtime::raw_syscall;

// A walk longer than this is done by a walker beside the program.
constexpr std::uint64_t kLongWalkNs = 2000000;
constexpr std::uint64_t kNapNs = 1000000;
constexpr unsigned kMostNaps = 10000;   // 10 s: the longest that an exit waits for a snapshot
constexpr unsigned kBudgetPeriod = 16;  // snapshots between two looks at the disk

constinit Agent* g_started = nullptr;  // for handlers that take no argument; set before they are

std::uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void nap() {
  const timespec time{0, kNapNs};
  raw_syscall(__NR_nanosleep, as_argument(&time), 0);
}

std::uint32_t* map_wiped_page() {
  const long page = raw_syscall(__NR_mmap, 0, runtime::kPageBytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (runtime::failed(page) ||
      raw_syscall(__NR_madvise, page, runtime::kPageBytes, MADV_WIPEONFORK) != 0) {
    return nullptr;
  }
  return reinterpret_cast<std::uint32_t*>(page);
}

bool matches_any(std::string_view globs, std::string_view name) {
  while (!globs.empty()) {
    const std::size_t comma = globs.find(',');
    if (runtime::glob_matches(globs.substr(0, comma), name)) {
      return true;
    }
    globs = comma == std::string_view::npos ? std::string_view{} : globs.substr(comma + 1);
  }
  return false;
}

}  // namespace

void Agent::start(const char* const* environment) {
  if (getauxval(AT_SECURE) != 0) {
    return;  // a program with more rights than its user: hands off
  }
  parse_settings(environment, settings_);
  identify_process(identity_);
  identify_run(environment_value(environment, format::kRunVariable), identity_);
  if (settings_.problem.size() != 0) {
    if (identity_.started_directly) {
      runtime::write_all(2, settings_.problem.c_str(), settings_.problem.size());
    }
    return;
  }
  directory_.set_base(settings_.DIR, identity_);
  if (!set_up_children(environment)) {
    return;
  }
  if (!settings_.ONLY.empty() && !matches_any(settings_.ONLY, identity_.name.view())) {
    return;
  }
  start_recording();
}

// Settles what children inherit. False for a child that is not to be tracked itself.
bool Agent::set_up_children(const char* const* environment) {
  EnvironmentEdit edit;
  bool launched = false;
  environment_value(environment, format::kRunVariable, &launched);
  if (!launched) {
    directory_variable_.add("SEEP_DIR=").add(directory_.base());
    run_variable_.add(format::kRunVariable)
        .add("=")
        .add_hex(identity_.run_id)
        .add(".")
        .add_decimal(identity_.pid);
    edit.set[0] = directory_variable_.view();
    edit.set[1] = run_variable_.view();
  }
  edit.remove_preload = settings_.children != Children::kAll;
  if (!launched || edit.remove_preload) {
    edit_environment(edit);
  }
  return true;
}

void Agent::start_recording() {
  g_started = this;
  g_clock.start();
  wiped_on_fork_ = map_wiped_page();
  limit_bytes_ = snapshot::cgroup_limit();
  active_ = true;
  stack::refresh_modules();
  begin_image();
  if (settings_.signal != 0) {
    struct sigaction action {};
    action.sa_handler = [](int) { g_started->on_signal(); };
    action.sa_flags = SA_RESTART;
    sigaction(settings_.signal, &action, nullptr);
  }
  recorder::Config config;
  config.stack_depth = static_cast<unsigned>(settings_.stack_depth);
  config.track_heap = settings_.track_heap;
  config.track_mmap = settings_.track_mmap;
  config.on_look = [](std::uint64_t now_ms) { g_started->on_look(now_ms); };
  recorder::start_recording(config);
  if (identity_.started_directly && enter()) {
    Request request;
    request.trigger = format::Trigger::kStart;
    take(request, g_clock.look());
  }
}

// A new process image: at the start, and in the child of a fork.
void Agent::begin_image() {
  schedule_.configure(kept_, settings_.keep, settings_.interval_auto, settings_.interval_ms);
  sequence_ = 0;
  seen_request_ = 0;
  answering_ = 0;
  origin_ms_ = forked_ ? g_clock.look() : 0;
  if (wiped_on_fork_ != nullptr) {
    *wiped_on_fork_ = 1;
  }
  ended_.store(false, std::memory_order_relaxed);
  busy_.store(false, std::memory_order_release);
}

// ---- process events -------------------------------------------------------------------------

void Agent::on_fork_child() {
  if (!active_) {
    return;
  }
  recorder::recover_after_fork();
  walker_.forget();
  directory_.forget();
  if (settings_.children == Children::kNone) {
    active_ = false;
    recorder::stop_recording();
    return;
  }
  forked_ = true;
  identity_.pid = 0;  // the rest is learned when a snapshot is due: most children exec at once
  begin_image();
  fork_tick_ = static_cast<std::uint32_t>(origin_ms_ >> recorder::kTickShift) + 1;
  if (births_at_fork_ != nullptr) {
    runtime::unmap_pages(births_at_fork_, births_at_fork_count_ * sizeof(snapshot::Births));
  }
  births_at_fork_count_ = g_tables.sites.count();
  births_at_fork_ = static_cast<snapshot::Births*>(
      runtime::map_pages(births_at_fork_count_ * sizeof(snapshot::Births)));
  if (births_at_fork_ == nullptr) {
    births_at_fork_count_ = 0;
    return;
  }
  for (std::uint32_t id = 0; id < births_at_fork_count_; ++id) {
    if (const table::SiteEntry* site = g_tables.sites.find(id); site != nullptr) {
      births_at_fork_[id] = {site->allocated_blocks.load(std::memory_order_relaxed),
                             site->allocated_bytes.load(std::memory_order_relaxed)};
    }
  }
}

// A fork by raw system call runs no handler: the wiped page tells.
void Agent::notice_raw_fork() {
  if (wiped_on_fork_ != nullptr && *wiped_on_fork_ == 0) {
    on_fork_child();
  }
}

// False in the child of a vfork, which runs in our memory: its exit or exec is not ours.
bool Agent::is_own_process() {
  notice_raw_fork();
  return identity_.pid == 0 || identity_.pid == current_pid();
}

void Agent::on_exit(const intercept::ExitEvent& event) {
  if (!active_ || !is_own_process() || ended_.exchange(true, std::memory_order_acq_rel)) {
    return;
  }
  const std::uint64_t now = g_clock.look();
  if (!enter_patiently()) {
    recorder::count_loss(format::Loss::snapshots_failed);
    return;
  }
  if (identity_.pid == 0) {
    identify_process(identity_);
    identity_.started_directly = false;
  }
  if (!is_short_lived(now)) {
    Request request;
    request.trigger =
        event.how == format::End::kExec ? format::Trigger::kExec : format::Trigger::kExit;
    request.end = event.how;
    request.end_status = event.status;
    request.end_function = runtime::view_of(event.function);
    request.wait = true;
    take(request, now);
    publish_status(format::AgentState::kEnded);
  } else {
    leave();
  }
  write_index_line(event, now);
}

void Agent::on_exec_failed() {
  if (active_ && is_own_process()) {
    ended_.store(false, std::memory_order_release);
    publish_status(format::AgentState::kRecording);
  }
}

// A child that ends young leaves a line in the index and no recording.
bool Agent::is_short_lived(std::uint64_t now_ms) const {
  return !identity_.started_directly && !directory_.is_open() &&
         now_ms - origin_ms_ < settings_.min_life_ms;
}

void Agent::write_index_line(const intercept::ExitEvent& event, std::uint64_t now_ms) {
  static constexpr std::string_view kHow[] = {"-", "exit", "signal", "exec"};
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  runtime::Path line;
  line.add_decimal(static_cast<std::uint64_t>(now.tv_sec))
      .add("\t")
      .add_hex(identity_.run_id)
      .add("\t")
      .add_decimal(identity_.pid)
      .add("\t")
      .add_decimal(identity_.parent_pid)
      .add("\t")
      .add_decimal(directory_.image())
      .add("\t")
      .add(kHow[static_cast<unsigned>(event.how)])
      .add("\t")
      .add_decimal(static_cast<std::uint64_t>(event.status & 0xFF))
      .add("\t")
      .add_decimal(now_ms - origin_ms_)
      .add("\t")
      .add_decimal(live_bytes_)
      .add("\t")
      .add_decimal(live_blocks_)
      .add("\t")
      .add(directory_.name().empty() ? "-" : directory_.name())
      .add("\t")
      .add(identity_.exe.view())
      .add("\n");
  directory_.append_index(line.view());
}

// ---- when -----------------------------------------------------------------------------------

bool Agent::enter() {
  return !busy_.exchange(true, std::memory_order_acquire);
}

// At exit: lets a snapshot that another thread or the walker is writing come to its end.
bool Agent::enter_patiently() {
  for (unsigned naps = 0; naps < kMostNaps; ++naps) {
    if (enter()) {
      return true;
    }
    nap();
  }
  return false;
}

void Agent::on_look(std::uint64_t now_ms) {
  notice_raw_fork();
  if (!active_ || ended_.load(std::memory_order_acquire)) {
    return;
  }
  const format::ControlPage* control = directory_.control();
  const bool requested = control != nullptr && __atomic_load_n(&control->request_sequence,
                                                               __ATOMIC_ACQUIRE) != seen_request_;
  const bool signalled = signalled_.load(std::memory_order_relaxed);
  const std::uint64_t age = now_ms - origin_ms_;
  const bool due = schedule_.due(age) && !is_short_lived(now_ms);
  if ((!requested && !signalled && !due) || !enter()) {
    return;
  }
  if (requested) {
    answer_request(now_ms);
  } else {
    signalled_.store(false, std::memory_order_relaxed);
    Request request;
    request.trigger = signalled ? format::Trigger::kSignal : format::Trigger::kInterval;
    take(request, now_ms);
  }
}

// In the signal handler: takes the snapshot at once unless one is being taken now.
void Agent::on_signal() {
  signalled_.store(true, std::memory_order_relaxed);
  on_look(g_clock.look());
}

void Agent::answer_request(std::uint64_t now_ms) {
  format::ControlPage* control = directory_.control();
  seen_request_ = __atomic_load_n(&control->request_sequence, __ATOMIC_ACQUIRE);
  const auto kind = static_cast<format::RequestKind>(control->request_kind);
  if (kind != format::RequestKind::kSnapshot && kind != format::RequestKind::kMark) {
    control->answer = static_cast<std::uint32_t>(format::Answer::kNotActive);
    __atomic_store_n(&control->answer_sequence, seen_request_, __ATOMIC_RELEASE);
    leave();
    return;
  }
  Request request;
  mark_.clear();
  if (kind == format::RequestKind::kMark) {
    char label[sizeof(control->request_label)];
    memcpy(label, control->request_label, sizeof(label));
    label[sizeof(label) - 1] = '\0';
    mark_.add(runtime::view_of(label));
    request.trigger = format::Trigger::kMark;
    request.mark = mark_.view();
    request.has_units = control->request_has_units != 0;
    request.units = control->request_units;
  } else {
    request.trigger = format::Trigger::kRequest;
  }
  answering_ = seen_request_;
  take(request, now_ms);
}

// ---- how ------------------------------------------------------------------------------------

bool Agent::open_recording() {
  if (identity_.pid == 0) {
    identify_process(identity_);
    identity_.started_directly = false;
  }
  if (directory_.is_open()) {
    return true;
  }
  if (!directory_.open(identity_)) {
    return false;
  }
  if (const unsigned removed = directory_.enforce_budget(settings_.disk_bytes); removed != 0) {
    recorder::g_losses[static_cast<std::uint32_t>(format::Loss::recordings_removed)].fetch_add(
        removed, std::memory_order_relaxed);
  }
  publish_status(format::AgentState::kRecording);
  return true;
}

// Called with busy_ held; gives it back, now or when the walker ends.
void Agent::take(const Request& request, std::uint64_t now_ms) {
  if (!open_recording()) {
    recorder::count_loss(format::Loss::snapshots_failed);
    schedule_.plan_next(now_ms - origin_ms_, last_cost_ns_);
    leave();
    return;
  }
  stack::refresh_modules();
  prepare(request, now_ms);
  walker_.running();  // reaps the one before
  if (request.wait || last_cost_ns_ < kLongWalkNs || !walker_.start(walk_beside, this)) {
    write_prepared();
    leave();
  }
}

void Agent::prepare(const Request& request, std::uint64_t now_ms) {
  description_ = {};
  format::ProcessRecord& record = description_.process;
  record.run_id = identity_.run_id;
  record.started_unix_ns = identity_.started_unix_ns;
  record.time_ms = now_ms - origin_ms_;
  record.start_ticks = identity_.start_ticks;
  record.units = request.units;
  record.sequence = ++sequence_;
  record.trigger = static_cast<std::uint32_t>(request.trigger);
  record.mode = static_cast<std::uint32_t>(format::Mode::kExact);
  record.flags = (request.has_units ? format::kHasUnits : 0) |
                 (forked_ ? format::kForkedImage : 0) |
                 (identity_.started_directly ? format::kStartedDirectly : 0);
  record.pid = identity_.pid;
  record.host_pid = identity_.host_pid;
  record.parent_pid = identity_.parent_pid;
  record.uid = identity_.uid;
  record.image = directory_.image();
  record.end = static_cast<std::uint32_t>(request.end);
  record.end_status = request.end_status;
  description_.exe = identity_.exe.view();
  description_.command = identity_.command.view();
  description_.host = identity_.host.view();
  description_.mark = request.mark;
  description_.end_function = request.end_function;
  description_.now_tick = static_cast<std::uint32_t>(now_ms >> recorder::kTickShift);
  description_.fork_tick = fork_tick_;
  description_.limit_bytes = limit_bytes_;
  description_.births_at_fork = births_at_fork_;
  description_.births_at_fork_count = births_at_fork_count_;
  prepared_ms_ = record.time_ms;
}

void Agent::walk_beside(void* agent) {
  auto* self = static_cast<Agent*>(agent);
  self->write_prepared();
  self->leave();
}

// In the calling thread or in the walker.
void Agent::write_prepared() {
  const std::uint64_t begin = monotonic_ns();
  snapshot::Outcome outcome;
  const int descriptor = directory_.descriptor();
  if (descriptor < 0) {
    outcome.error = descriptor;
  } else {
    outcome = snapshot::write(descriptor, snapshot_name(sequence_).c_str(), description_, g_tables);
  }
  last_cost_ns_ = monotonic_ns() - begin;
  total_cost_ns_ += last_cost_ns_;
  settle(outcome);
}

void Agent::settle(const snapshot::Outcome& outcome) {
  if (outcome.error != 0) {
    recorder::count_loss(format::Loss::snapshots_failed);
  } else {
    live_blocks_ = outcome.live_blocks;
    live_bytes_ = outcome.live_bytes;
    const std::uint32_t victim =
        schedule_.add({sequence_, description_.process.trigger, prepared_ms_});
    if (victim != 0) {
      directory_.remove_snapshot(victim);
    }
    if (sequence_ % kBudgetPeriod == 0) {
      directory_.enforce_budget(settings_.disk_bytes);
    }
  }
  schedule_.plan_next(prepared_ms_, last_cost_ns_);
  publish_status(format::AgentState::kRecording);
  format::ControlPage* control = directory_.control();
  if (answering_ != 0 && control != nullptr) {
    control->answer = static_cast<std::uint32_t>(outcome.error == 0 ? format::Answer::kDone
                                                                    : format::Answer::kFailed);
    control->answer_snapshot = sequence_;
    __atomic_store_n(&control->answer_sequence, answering_, __ATOMIC_RELEASE);
  }
  answering_ = 0;
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
  control->tracker_bytes = runtime::mapped_bytes();
  control->snapshot_ns = total_cost_ns_;
  for (std::uint32_t id = 0; id < format::kLossCount; ++id) {
    control->losses[id] = recorder::g_losses[id].load(std::memory_order_relaxed);
  }
  runtime::copy_text(control->inactive_settings, sizeof(control->inactive_settings),
                     settings_.inactive.view());
  __atomic_store_n(&control->state, static_cast<std::uint32_t>(state), __ATOMIC_RELEASE);
}

}  // namespace seep::agent
