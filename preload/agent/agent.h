// The cold spine: starts recording, decides when a snapshot is taken, and sees the process fork,
// exec and end. Included by nobody: the hooks reach it through the functions it registers.
// agent.cpp has what happens and when; agent_recording.cpp has how recording begins, pauses and
// goes on; agent_snapshots.cpp has how a snapshot is taken; agent_marks.cpp those that the program
// asks for; agent_scan.cpp has scans for unreachable memory; agent_limits.cpp what watches the
// resident size. Context: IN-AGENT: runs in whatever
// thread of the program noticed that something is due.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "preload/agent/identity.h"
#include "preload/agent/limit_command.h"
#include "preload/agent/limit_watch.h"
#include "preload/agent/metrics.h"
#include "preload/agent/recording_directory.h"
#include "preload/agent/recording_state.h"
#include "preload/agent/scanner.h"
#include "preload/agent/schedule.h"
#include "preload/agent/settings.h"
#include "preload/agent/walker.h"
#include "preload/intercept/process_events.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/stack_switch.h"
#include "preload/snapshot/writer.h"

namespace seep::agent {

// Why and how one snapshot is taken.
struct Request {
  format::Trigger trigger = format::Trigger::kInterval;
  std::string_view mark;
  bool has_units = false;
  std::uint64_t units = 0;
  format::End end = format::End::kNotYet;
  int end_status = 0;
  std::string_view end_function;
  bool wait = false;  // the caller needs it on disk before it goes on
};

class Agent {
 public:
  constexpr Agent() = default;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // AT-INIT. `environment` must stay in place.
  void start(const char* const* environment);

  // Settles what children inherit. libc sets its environment after our constructor has run.
  void on_main();
  void on_look(std::uint64_t now_ms);
  // Whether on_look has something to do at any time. IN-HOOK.
  [[nodiscard]] bool is_wanted() const {
    return request_is_pending() || signalled_.load(std::memory_order_relaxed);
  }
  void on_signal();
  void on_exit(const intercept::ExitEvent& event);
  void on_exec_failed();
  // After all that the program runs at its exit.
  void scan_at_exit();
  // A scan that the program asks for and waits for: whether anything is lost. `is_last`: there is
  // none at exit.
  bool check_for_losses(bool is_last);
  // Python is about to free all that its program has left: where the process is such a program,
  // that is its end, and what is recorded stays as it is: true. Context: IN-HOOK.
  bool on_script_end();
  void on_script_shutdown();
  // A fork is about to be made.
  void on_fork();
  // `alone`: by a handler of fork, before there can be another thread.
  void on_fork_child(bool alone);
  // A path may soon lead elsewhere.
  void on_root_change();
  // The program is about to install a filter of system calls. False where it is none of ours.
  bool on_filter(bool allows_snapshots);
  void on_mark(const intercept::MarkEvent& event);

 private:
  void start_tracking(const char* const* environment);
  void watch_signal();
  void begin_image();
  void notice_raw_fork();
  bool is_own_process();

  bool enter();
  bool enter_patiently(unsigned most_naps = kMostNapsAtExit);
  void leave() { holders_.fetch_sub(1, std::memory_order_release); }
  template <typename Action>
  void act(Action action);
  void do_what_is_due(bool size_passed);
  [[nodiscard]] bool request_is_pending() const;
  [[nodiscard]] bool snapshot_is_due(std::uint64_t now_ms) const;
  [[nodiscard]] bool must_be_reachable() const;
  void finish(const intercept::ExitEvent& event, std::uint64_t now_ms);
  static Request last_request(const intercept::ExitEvent& event);
  void answer_request(std::uint64_t now_ms);
  Request requested_snapshot(const format::ControlPage& control);
  void remember_births();
  void answer(format::Answer answer, std::uint32_t snapshot);
  [[nodiscard]] bool is_short_lived() const;
  [[nodiscard]] std::uint64_t age_ms() const;
  void write_index_line(const intercept::ExitEvent& event);
  void take_last_before_filter();
  void take_mark(const intercept::MarkEvent& event);

  [[nodiscard]] RecordingState state() const { return state_.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_dormant() const { return state() == RecordingState::kDormant; }
  [[nodiscard]] recorder::Mode recording_mode() const;
  [[nodiscard]] format::AgentState published_state() const;
  void change_recording(RecordingEvent event, std::uint64_t now_ms);
  void begin_recording(std::uint64_t now_ms);
  std::uint64_t go_on_recording(std::uint64_t now_ms);
  void pause_recording(std::uint64_t now_ms);
  bool start_size_is_passed(std::uint64_t now_ms);
  void become_reachable();
  void say_what_it_waits_for();

  void start_watching(const char* const* environment);
  [[nodiscard]] bool size_look_is_due(std::uint64_t now_ms) const;
  void look_at_group(std::uint64_t time_ms);
  void look_at_size(std::uint64_t now_ms);
  void pass_limit(std::uint64_t now_ms);
  void tell_limit(bool has_snapshot);
  void start_command(LimitName which, std::string_view snapshot, std::uint32_t settles_at);
  void copy_limit_settings(const char* const* environment);
  void watch_again();
  [[nodiscard]] bool commands_have_left() const;
  void write_figures(std::uint64_t time_ms);
  void remove_figures();

  void identify();
  void follow_user();
  bool open_recording();
  bool take(const Request& request, std::uint64_t clock_ms);
  void prepare(const Request& request, std::uint64_t now_ms);
  void write_prepared(std::uint64_t begin_ns);
  void keep_within_budget();
  void settle(const snapshot::Outcome& outcome);
  void keep_jit_map();
  bool start_walker(std::uint64_t begin_ns);
  static void walk_beside(void* agent, int directory);
  void publish_status(format::AgentState state);

  [[nodiscard]] format::ScanProblem problem_of_history() const;
  ScanOrder make_order(format::ScanTime when);
  void copy_suppressions();
  void write_suppressions();
  [[nodiscard]] bool can_scan() const;
  [[nodiscard]] bool wants_scan_at_exit() const;
  void ask_for_holders(const Request& request);
  [[nodiscard]] std::uint64_t look_limit_ns() const;
  [[nodiscard]] std::uint64_t scan_limit_ns(format::ScanTime when) const;
  void scan(format::ScanTime when, const Request& request);
  bool start_scan(format::ScanTime when, std::uint64_t begun_ns, Walker::Run run);
  bool take_with_scan(std::uint64_t begin_ns);
  void log_problem(format::ScanProblem problem);
  void settle_scan(const ScanOutcome& outcome);
  static void scan_beside(void* agent, int directory);
  static void scan_and_walk_beside(void* agent, int directory);

  // A snapshot needs more stack than a small thread of the program has.
  static constexpr std::size_t kOwnStackBytes = std::size_t{256} << 10;
  // The longest that an exit, and a mark, wait for a snapshot that is being taken; a nap is 1 ms.
  static constexpr unsigned kMostNapsAtExit = 10000;
  static constexpr unsigned kMostNapsOfMark = 1000;
  // A fork copies the page table entries of our tables as well, some tens of nanoseconds each:
  // about so many forks cost what it costs to have fewer of them.
  static constexpr unsigned kManyForks = 8;

  Settings settings_;
  Identity identity_;
  RecordingDirectory directory_;
  Schedule schedule_;
  Walker walker_{runtime::g_walker_task};
  Scanner scanner_;
  KeptSnapshot kept_[Schedule::kMostKept + 1] = {};

  // How many hold the agent: the thread that takes a snapshot, and the walker that it started for
  // it, of which either may be the last to leave. Holding it guards everything below but what is
  // atomic or written at the start, and the thread's part the stack. Nobody waits for it but
  // on_exit and on_mark, and those for a bounded time. Acquire in enter(), release in leave().
  std::atomic<unsigned> holders_{0};
  std::atomic<bool> signalled_{false};  // relaxed; set by the signal handler, taken by on_look
  std::atomic<bool> ended_{false};      // acq_rel exchange: one thread writes the last snapshot
  // Relaxed: the program has forbidden what a snapshot needs; nothing is written any more.
  std::atomic<bool> confined_{false};
  std::atomic<bool> births_pending_{false};     // relaxed; a fork's child has had no event yet
  std::atomic<std::uint32_t> seen_request_{0};  // relaxed; written by the holder

  void* own_stack_ = nullptr;
  bool active_ = false;
  bool launched_ = false;  // SEEP_RUN was given: our parent settled the environment
  bool settings_are_good_ = false;
  bool identified_ = false;  // a fork's child learns who it is when it must

  // Of this image, on the monotonic clock: when it began to be tracked, recorded or not.
  std::uint64_t began_ms_ = 0;
  // On the recorder's clock: when recording began, and when it was paused. The clock is set back by
  // a pause when recording goes on, so that a pause takes no time of the recording.
  std::atomic<std::uint64_t> origin_ms_{0};  // relaxed; written by the holder, before state_
  std::uint64_t paused_ms_ = 0;
  std::uint32_t gaps_ = 0;  // format::kBeganLate, format::kWasPaused
  std::atomic<RecordingState> state_{RecordingState::kDormant};  // release; written by the holder
  std::atomic<std::uint64_t> next_size_look_ms_{0};              // relaxed; two looks do no harm
  bool is_unreachable_ = false;    // no directory could be made for it while it was dormant
  std::uint64_t limit_bytes_ = 0;  // of the cgroup; 0: none

  // The resident size and what is told of it.
  LimitWatch limit_watch_;
  std::uint64_t group_look_ms_ = 0;
  bool watches_size_ = false;                         // written at the start
  std::atomic<std::uint64_t> next_size_check_ms_{0};  // relaxed; on the recorder's clock
  std::atomic<bool> limit_is_passed_{false};          // relaxed; a limit waits for its snapshot
  // Snapshots that were written or given up; release by who did, acquire by who waits for it.
  std::atomic<std::uint32_t> settles_{0};
  // The last of them that was given up; relaxed, written before settles_.
  std::atomic<std::uint32_t> failed_settle_{0};
  // A limit that is told when its snapshot has settled.
  struct {
    bool is_due = false;
    LimitName which = LimitName::kWarning;
  } untold_limit_;
  runtime::Path metrics_directory_;  // written at the start, as the next two
  const char* limit_command_text_ = nullptr;
  CommandEnvironment command_environment_;
  LimitCommand limit_commands_[kLimitCount] = {
      {runtime::g_command_tasks[0], runtime::g_watcher_tasks[0]},
      {runtime::g_command_tasks[1], runtime::g_watcher_tasks[1]}};
  struct {
    bool is_written = false;
    bool is_told = false;  // that it cannot be
    std::uint64_t time_ms = 0;
  } metrics_;
  std::atomic<unsigned> forks_{0};  // that the image made; relaxed
  bool forked_ = false;
  std::uint32_t fork_tick_ = 0;
  recorder::Births* births_at_fork_ = nullptr;
  std::uint32_t births_at_fork_count_ = 0;

  unsigned users_left_ = 8;  // changes of the user that are followed
  std::uint32_t sequence_ = 0;
  std::uint64_t last_cost_ns_ = 0;
  std::uint64_t total_cost_ns_ = 0;
  std::uint64_t budget_ms_ = 0;  // when the disk was looked at last
  std::uint64_t live_blocks_ = 0;
  std::uint64_t live_bytes_ = 0;
  std::uint64_t tracker_bytes_ = 0;  // resident, when a snapshot looked last

  // The snapshot being taken.
  snapshot::Description description_;
  int target_ = -1;  // directory descriptor
  std::uint64_t prepared_ms_ = 0;
  std::uint64_t thread_cost_ns_ = 0;  // the part done in the program's thread beside a walker's
  runtime::Text<128> mark_;
  runtime::Text<64> scan_name_;
  ScanOutcome scan_outcome_;           // of the last one
  std::uint64_t holders_look_ns_ = 0;  // of SEEP_SCAN_LIMIT, what looks for holders took
  bool is_looking_ = false;            // the scan is such a look
  std::uint32_t scan_problems_ = 0;    // a bit for each ScanProblem that the log has told
  std::string_view suppressions_;      // the program's own; written before main
  bool scans_are_over_ = false;        // the program wanted the last one before its end
  std::uint32_t answering_ = 0;        // request_sequence to answer, 0 for none

  // Wiped by the kernel in a child: tells a real fork that passed by our handler from a child that
  // shares our memory (vfork).
  std::uint32_t* wiped_on_fork_ = nullptr;
  runtime::Path directory_variable_;  // "SEEP_DIR=…", handed to children
  runtime::Text<64> run_variable_;    // "SEEP_RUN=…"
};

// Runs `action` as the holder, on our own stack and with all signals blocked: a handler of the
// program that ran here could allocate, exit or fork in the middle of it. A walker that it starts
// holds the agent as well, and may end before this thread is off the stack.
template <typename Action>
void Agent::act(Action action) {
  const runtime::SignalsBlocked blocked;
  runtime::call_on_stack(
      static_cast<char*>(own_stack_) + kOwnStackBytes,
      [](void* argument) { (*static_cast<Action*>(argument))(); }, &action);
  if (walker_.has_left() && commands_have_left()) {
    directory_.release();
  }
  leave();
}

}  // namespace seep::agent
