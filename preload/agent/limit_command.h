// Runs the command of SEEP_ON_LIMIT beside the program, which neither sees it nor waits for it.
// Context: IN-AGENT. A task that shares the program's memory (walker.h) lets the snapshot come to
// its end and makes a copy of the process, the watcher, which starts the command, gives back its
// memory, waits for the command's end and writes it to the log. So the command is the watcher's
// child: no wait of the program's finds it and no SIGCHLD tells of it, also where orphans come to
// the program (PID 1, a subreaper). The watcher has memory of its own: it keeps the rights that the
// program may give up later, and who has taken over the program must not get at them. It ends with
// the command, with the program, or before the program becomes another one; one of each limit at a
// time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/agent/limit_watch.h"
#include "preload/agent/recording_directory.h"
#include "preload/agent/walker.h"
#include "preload/runtime/text.h"

namespace seep::agent {

// What the program was started with, without libseep.so and the variables of seep.
class CommandEnvironment {
 public:
  // AT-INIT. A copy: the program may write where its environment was (setproctitle). False where
  // there is no memory.
  bool copy(const char* const* environment);
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] char* entry(std::size_t i) const { return entries_[i]; }

 private:
  char** entries_ = nullptr;
  std::size_t count_ = 0;
};

// What a command is told. Recording and snapshot are paths; empty where nothing is recorded.
struct LimitEvent {
  LimitName which = LimitName::kWarning;
  std::uint32_t pid = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t limit_bytes = 0;
  std::string_view recording;
  std::string_view snapshot;
  // The snapshot is written, or given up, when `settles` has come to this.
  const std::atomic<std::uint32_t>* settles = nullptr;
  std::uint32_t settles_at = 0;
  // Comes to `settles_at` before that, where the snapshot was given up.
  const std::atomic<std::uint32_t>* failed = nullptr;
  // The program is about to end: nobody waits for the command any more.
  const std::atomic<bool>* has_ended = nullptr;
  LogPlace log;
};

class LimitCommand {
 public:
  constexpr LimitCommand(runtime::OwnTask& starter, runtime::OwnTask& watcher)
      : walker_(starter), watcher_(watcher) {}

  // Runs `command` by /bin/sh in `directory`, a descriptor. False where no task can be made for it.
  bool start(const char* command, const CommandEnvironment& environment, const LimitEvent& event,
             int directory);
  // True while the last one runs.
  bool is_running() {
    const bool starts = walker_.running();  // asked first: the watcher is there when it ends
    return watcher_.is_running() || starts;
  }
  // Before an exec: a watcher that ended later would be a child of the new image, with a signal.
  void end_watch();
  // False while it may still need the descriptor that start() was given.
  [[nodiscard]] bool has_left() const { return walker_.has_left(); }
  // In a fork's child, which has no such task.
  void forget();

 private:
  static constexpr std::size_t kVariables = 6;
  static constexpr std::size_t kSnapshotVariable = 5;

  static void watch(void* self, int directory);
  static void become_command(void* self);
  bool build_environment(const CommandEnvironment& environment);
  void await_snapshot();
  void make_watcher();
  void run_watcher();
  void give_memory_back() const;
  void nap() const;
  [[nodiscard]] bool is_to_end() const;
  long start_command();
  void await_command(long pid) const;
  void log(std::string_view what, std::uint64_t number, bool has_number) const;

  Walker walker_;
  runtime::OwnTask& watcher_;
  // A page that the program shares with the watcher: 1: it is to end; a futex. Relaxed.
  int* ends_ = nullptr;
  LimitEvent event_;
  const char* command_ = nullptr;
  char** environment_ = nullptr;  // kept for the next one
  runtime::Path variables_[kVariables];
  void* stack_ = nullptr;      // of the command, until it is another program
  std::atomic<int> error_{0};  // of the start; relaxed: the watcher sleeps while it is written
};

}  // namespace seep::agent
