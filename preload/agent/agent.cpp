#include "preload/agent/agent.h"

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "format/recording_layout.h"
#include "preload/agent/environment.h"
#include "preload/agent/languages.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/call_filter.h"
#include "preload/runtime/clocks.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"
#include "preload/stack/modules.h"

namespace seep::agent {
namespace {

using recorder::g_clock;
using runtime::as_argument;
using runtime::raw_syscall;

constexpr std::uint64_t kNapNs = 1000000;

constinit Agent* g_started = nullptr;  // for handlers that take no argument; set before they are

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

bool runs_destructors(const intercept::ExitEvent& event) {
  const std::string_view function = runtime::view_of(event.function);
  return event.how == format::End::kExit && (function == "main" || function == "exit");
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

// ---- start ----------------------------------------------------------------------------------

void Agent::start(const char* const* environment) {
  if (getauxval(AT_SECURE) != 0) {
    return;  // a program with more rights than its user: hands off
  }
  runtime::try_calls_if_filtered();
  if (!runtime::snapshots_are_allowed()) {
    return;
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
  directory_.set_base(settings_.DIR, environment_value(environment, "TMPDIR"), identity_);
  environment_value(environment, format::kRunVariable, &launched_);
  settings_are_good_ = true;
  if (settings_.ONLY.empty() || matches_any(settings_.ONLY, identity_.name.view())) {
    start_tracking(environment);
  }
}

void Agent::on_main() {
  EnvironmentEdit edit;
  if (!settings_are_good_) {
    return;
  }
  if (!launched_) {
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
  if (!launched_ || edit.remove_preload) {
    edit_environment(edit);
  }
  if (active_) {
    copy_suppressions();
  }
}

void Agent::start_tracking(const char* const* environment) {
  g_started = this;
  own_stack_ = runtime::map_pages(kOwnStackBytes);
  if (own_stack_ == nullptr) {
    return;
  }
  g_clock.start();
  wiped_on_fork_ = map_wiped_page();
  active_ = true;
  identified_ = true;
  began_ms_ = recorder::Clock::monotonic_ms();
  begin_image();
  start_watching(environment);
  const bool now = settings_.start == Start::kNow;
  recorder::Config config;
  config.mode = now ? recording_mode() : recorder::Mode::kDormant;
  config.sample_bytes = settings_.sample ? settings_.sample_bytes : 0;
  config.stack_depth = static_cast<unsigned>(settings_.stack_depth);
  config.track_heap = settings_.track_heap;
  config.track_mmap = settings_.track_mmap;
  choose_languages(settings_);
  config.on_look = [](std::uint64_t now_ms) {
    look_for_interpreters();
    g_started->on_look(now_ms);
  };
  config.is_wanted = [] { return g_started->is_wanted(); };
  if (now) {
    stack::refresh_modules();
    state_.store(RecordingState::kRecording, std::memory_order_release);
  }
  recorder::start_recording(config);
  look_for_interpreters();
  watch_signal();
  if (!identity_.started_directly || !enter()) {
    return;
  }
  act([this, now] {
    if (!now) {
      become_reachable();
      return;
    }
    Request request;
    request.trigger = format::Trigger::kStart;
    take(request, g_clock.look());
  });
}

void Agent::watch_signal() {
  if (settings_.signal == 0) {
    return;
  }
  struct sigaction action {};
  action.sa_handler = [](int) { g_started->on_signal(); };
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigaction(settings_.signal, &action, nullptr);
}

// A new process image: at the start, and in the child of a fork.
void Agent::begin_image() {
  schedule_.configure(kept_, settings_.keep, settings_.interval_auto, settings_.interval_ms);
  sequence_ = 0;
  seen_request_.store(0, std::memory_order_relaxed);
  answering_ = 0;
  live_blocks_ = 0;
  live_bytes_ = 0;
  is_unreachable_ = false;
  holders_look_ns_ = 0;
  forks_.store(0, std::memory_order_relaxed);
  if (wiped_on_fork_ != nullptr) {
    *wiped_on_fork_ = 1;
  }
  ended_.store(false, std::memory_order_relaxed);
  holders_.store(0, std::memory_order_release);
}

// ---- other events -----------------------------------------------------------------------------

// A descriptor goes on leading to the recording.
void Agent::on_root_change() {
  if (active_ && directory_.is_open() && is_own_process() && enter_patiently()) {
    act([this] { directory_.keep(); });
  }
}

// Told before the filter is there. Under one that lets a snapshot through, a recording that has
// begun makes fewer calls from now on where nobody holds the agent: its descriptor stays.
bool Agent::on_filter(bool allows_snapshots) {
  if (!active_) {
    return settings_are_good_;
  }
  if (!is_own_process()) {
    return false;
  }
  if (!ended_.load(std::memory_order_acquire) && (allows_snapshots ? enter() : enter_patiently())) {
    act([=, this] { allows_snapshots ? directory_.keep() : take_last_before_filter(); });
  }
  return true;
}

// In the thread that calls, which is at no allocator's work; a signal handler may be above one that
// is, as with SEEP_SIGNAL.
void Agent::on_mark(const intercept::MarkEvent& event) {
  if (!active_ || is_dormant() || confined_.load(std::memory_order_relaxed) ||
      ended_.load(std::memory_order_acquire) || !is_own_process()) {
    return;
  }
  if (!enter_patiently(kMostNapsOfMark)) {
    recorder::count_loss(format::Loss::snapshots_failed);
    return;
  }
  act([this, &event] { take_mark(event); });
}

// ---- end ------------------------------------------------------------------------------------

void Agent::on_exit(const intercept::ExitEvent& event) {
  if (!active_ || confined_.load(std::memory_order_relaxed) || !is_own_process() ||
      ended_.exchange(true, std::memory_order_acq_rel)) {
    return;
  }
  const std::uint64_t now = g_clock.look();
  const bool asks_for_holders = runs_destructors(event) && wants_scan_at_exit();
  if (!enter_patiently()) {
    recorder::count_loss(format::Loss::snapshots_failed);
    return;
  }
  scanner_.note_caller();
  act([this, &event, now, asks_for_holders] {
    finish(event, now);
    if (asks_for_holders) {
      ask_for_holders(last_request(event));
    }
  });
}

// The last snapshot and the line in the index. A child that forks only to exec leaves neither: the
// program that it becomes has its own. Where recording never began there is no recording: only the
// index says that the process was there.
void Agent::finish(const intercept::ExitEvent& event, std::uint64_t now_ms) {
  const bool exec = event.how == format::End::kExec;
  if (exec) {
    for (LimitCommand& command : limit_commands_) {
      command.end_watch();
    }
  }
  remove_figures();
  const bool short_lived = is_short_lived();
  if (short_lived && exec) {
    return;
  }
  if (is_dormant()) {
    directory_.discard();
  } else if (!short_lived) {
    if (births_pending_.load(std::memory_order_relaxed)) {
      remember_births();
    }
    take(last_request(event), now_ms);
    keep_jit_map();
    publish_status(format::AgentState::kEnded);
  }
  write_index_line(event);
}

Request Agent::last_request(const intercept::ExitEvent& event) {
  Request request;
  request.trigger =
      event.how == format::End::kExec ? format::Trigger::kExec : format::Trigger::kExit;
  request.end = event.how;
  request.end_status = event.status;
  request.end_function = runtime::view_of(event.function);
  request.wait = true;
  return request;
}

void Agent::on_exec_failed() {
  if (active_ && !confined_.load(std::memory_order_relaxed) && is_own_process() &&
      ended_.exchange(false, std::memory_order_acq_rel)) {
    publish_status(published_state());
  }
}

// A child that ends young leaves a line in the index and no recording.
bool Agent::is_short_lived() const {
  return !identity_.started_directly && !directory_.is_open() && age_ms() < settings_.min_life_ms;
}

std::uint64_t Agent::age_ms() const {
  return recorder::Clock::monotonic_ms() - began_ms_;
}

void Agent::write_index_line(const intercept::ExitEvent& event) {
  static constexpr std::string_view kHow[] = {"-", "exit", "signal", "exec"};
  runtime::Path line;
  line.add_decimal(runtime::unix_ns() / 1000000000).add("\t").add_hex(identity_.run_id).add("\t");
  line.add_decimal(identity_.pid).add("\t").add_decimal(identity_.parent_pid).add("\t");
  line.add_decimal(directory_.image()).add("\t");
  line.add(kHow[static_cast<unsigned>(event.how)]).add("\t");
  line.add_decimal(static_cast<std::uint64_t>(event.status & 0xFF)).add("\t");
  line.add_decimal(age_ms()).add("\t");
  line.add_decimal(live_bytes_).add("\t").add_decimal(live_blocks_).add("\t");
  const std::string_view recording = directory_.is_open() ? directory_.name() : "-";
  line.add(is_dormant() ? format::kNeverRecorded : recording).add("\t");
  for (const char c : identity_.exe.view()) {
    line.add_char(c < ' ' && c >= 0 ? '?' : c);
  }
  directory_.append_index(line.add("\n").view());
}

// ---- when -----------------------------------------------------------------------------------

bool Agent::enter() {
  unsigned nobody = 0;
  return holders_.compare_exchange_strong(nobody, 1, std::memory_order_acquire,
                                          std::memory_order_relaxed);
}

// Lets a snapshot that another thread or the walker is writing come to its end.
bool Agent::enter_patiently(unsigned most_naps) {
  for (unsigned naps = 0; naps < most_naps; ++naps) {
    if (enter()) {
      return true;
    }
    nap();
  }
  return false;
}

void Agent::on_look(std::uint64_t now_ms) {
  notice_raw_fork();
  if (!active_ || ended_.load(std::memory_order_acquire) ||
      confined_.load(std::memory_order_relaxed)) {
    return;
  }
  const bool size_passed = start_size_is_passed(now_ms);
  const bool due = size_passed || request_is_pending() || snapshot_is_due(now_ms) ||
                   signalled_.load(std::memory_order_relaxed) ||
                   births_pending_.load(std::memory_order_relaxed) || walker_.is_unreaped() ||
                   must_be_reachable() || size_look_is_due(now_ms) ||
                   limit_is_passed_.load(std::memory_order_relaxed);
  if (due && is_own_process() && enter()) {
    scanner_.note_caller();
    act([=, this] { do_what_is_due(size_passed); });
  }
}

bool Agent::request_is_pending() const {
  const format::ControlPage* control = directory_.control();
  return control != nullptr && __atomic_load_n(&control->request_sequence, __ATOMIC_ACQUIRE) !=
                                   seen_request_.load(std::memory_order_relaxed);
}

bool Agent::snapshot_is_due(std::uint64_t now_ms) const {
  return state() == RecordingState::kRecording &&
         schedule_.due(now_ms - origin_ms_.load(std::memory_order_relaxed)) && !is_short_lived();
}

// As the holder. The time is read again: the clock may have been set back since on_look was
// called, and what was due may have been done.
void Agent::do_what_is_due(bool size_passed) {
  const std::uint64_t now_ms = g_clock.look();
  walker_.running();
  if (births_pending_.load(std::memory_order_relaxed)) {
    remember_births();
  }
  if (must_be_reachable()) {
    become_reachable();
  }
  if (size_look_is_due(now_ms)) {
    look_at_size(now_ms);
  }
  if (request_is_pending()) {
    answer_request(now_ms);
  } else if (limit_is_passed_.load(std::memory_order_relaxed)) {
    pass_limit(now_ms);
  } else if (signalled_.exchange(false, std::memory_order_relaxed)) {
    change_recording(RecordingEvent::kSignal, now_ms);
  } else if (size_passed) {
    change_recording(RecordingEvent::kSize, now_ms);
  } else if (snapshot_is_due(now_ms)) {
    take({}, now_ms);
  }
}

// In the signal handler: starts recording or takes the snapshot, at once unless one is being taken.
void Agent::on_signal() {
  signalled_.store(true, std::memory_order_relaxed);
  on_look(g_clock.look());
}

void Agent::answer_request(std::uint64_t now_ms) {
  const format::ControlPage* control = directory_.control();
  answering_ = __atomic_load_n(&control->request_sequence, __ATOMIC_ACQUIRE);
  seen_request_.store(answering_, std::memory_order_relaxed);
  switch (static_cast<format::RequestKind>(control->request_kind)) {
    case format::RequestKind::kSnapshot:
    case format::RequestKind::kMark:
      if (is_dormant()) {
        return answer(format::Answer::kNotStarted, 0);
      }
      take(requested_snapshot(*control), now_ms);
      return;
    case format::RequestKind::kScan: {
      if (is_dormant()) {
        return answer(format::Answer::kNotStarted, 0);
      }
      Request request;
      request.trigger = format::Trigger::kRequest;
      return scan(format::ScanTime::kRequest, request);
    }
    case format::RequestKind::kStart:
      return change_recording(RecordingEvent::kStart, now_ms);
    case format::RequestKind::kPause:
      return change_recording(RecordingEvent::kPause, now_ms);
    default:
      return answer(format::Answer::kNotActive, 0);
  }
}

Request Agent::requested_snapshot(const format::ControlPage& control) {
  Request request;
  request.trigger = format::Trigger::kRequest;
  if (static_cast<format::RequestKind>(control.request_kind) == format::RequestKind::kMark) {
    char label[sizeof(control.request_label)];
    memcpy(label, control.request_label, sizeof(label));
    label[sizeof(label) - 1] = '\0';
    mark_.clear();
    mark_.add(runtime::view_of(label));
    request.trigger = format::Trigger::kMark;
    request.mark = mark_.view();
    request.has_units = control.request_has_units != 0;
    request.units = control.request_units;
  }
  return request;
}

// Nothing when no request is being answered: a signal and the interval come this way too.
void Agent::answer(format::Answer answer, std::uint32_t snapshot) {
  format::ControlPage* control = directory_.control();
  if (answering_ != 0 && control != nullptr) {
    control->answer = static_cast<std::uint32_t>(answer);
    control->answer_snapshot = snapshot;
    __atomic_store_n(&control->answer_sequence, answering_, __ATOMIC_RELEASE);
  }
  answering_ = 0;
}

}  // namespace seep::agent
