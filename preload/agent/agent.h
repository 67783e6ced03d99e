// The cold spine: starts recording, decides when a snapshot is taken, and sees the process fork,
// exec and end. Included by nobody: the hooks reach it through the functions it registers.
// Context: IN-AGENT: runs in whatever thread of the program noticed that something is due.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "preload/agent/identity.h"
#include "preload/agent/recording_directory.h"
#include "preload/agent/schedule.h"
#include "preload/agent/settings.h"
#include "preload/agent/walker.h"
#include "preload/intercept/process_events.h"
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

  void on_look(std::uint64_t now_ms);
  void on_signal();
  void on_exit(const intercept::ExitEvent& event);
  void on_exec_failed();
  void on_fork_child();

 private:
  bool set_up_children(const char* const* environment);
  void start_recording();
  void begin_image();
  void notice_raw_fork();
  bool is_own_process();

  bool enter();
  bool enter_patiently();
  void leave() { busy_.store(false, std::memory_order_release); }

  bool open_recording();
  void take(const Request& request, std::uint64_t now_ms);
  void prepare(const Request& request, std::uint64_t now_ms);
  void write_prepared();
  void settle(const snapshot::Outcome& outcome);
  static void walk_beside(void* agent);
  void answer_request(std::uint64_t now_ms);
  void publish_status(format::AgentState state);
  void write_index_line(const intercept::ExitEvent& event, std::uint64_t now_ms);
  bool is_short_lived(std::uint64_t now_ms) const;

  Settings settings_;
  Identity identity_;
  RecordingDirectory directory_;
  Schedule schedule_;
  Walker walker_;
  KeptSnapshot kept_[Schedule::kMostKept + 1] = {};

  // Held by the thread that takes a snapshot, or by the walker. Nobody waits for it but on_exit,
  // and that for a bounded time. Acquire in enter(), release in leave().
  std::atomic<bool> busy_{false};
  std::atomic<bool> signalled_{false};  // relaxed; set by the signal handler, taken by on_look
  std::atomic<bool> ended_{false};      // acq_rel exchange: one thread writes the last snapshot
  bool active_ = false;

  std::uint64_t origin_ms_ = 0;  // of this image, on the recorder's clock
  std::uint64_t last_cost_ns_ = 0;
  std::uint64_t total_cost_ns_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint32_t fork_tick_ = 0;
  bool forked_ = false;
  std::uint64_t limit_bytes_ = 0;
  snapshot::Births* births_at_fork_ = nullptr;
  std::uint32_t births_at_fork_count_ = 0;
  std::uint32_t seen_request_ = 0;

  // The snapshot being taken; guarded by busy_.
  snapshot::Description description_;
  std::uint64_t prepared_ms_ = 0;
  runtime::Text<128> mark_;
  std::uint32_t answering_ = 0;  // request_sequence to answer, 0 for none
  std::uint64_t live_blocks_ = 0;
  std::uint64_t live_bytes_ = 0;

  // Wiped by the kernel in a child: tells a real fork that passed by our handler from a child that
  // shares our memory (vfork).
  std::uint32_t* wiped_on_fork_ = nullptr;
  runtime::Path directory_variable_;  // "SEEP_DIR=…", handed to children
  runtime::Text<64> run_variable_;    // "SEEP_RUN=…"
};

}  // namespace seep::agent
