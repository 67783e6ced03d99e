// Makes one scan for unreachable memory: stops the threads, copies the process, lets them go on,
// and waits for the copy, which scans and writes the file. Context: IN-AGENT, and the walker: raw
// system calls only, no thread-local storage. One at a time.
//
//   thread that asks        walker                         copy
//   ----------------        ------                         ----
//   notes its registers
//   starts the walker       stops all other threads
//   waits                   forks ------------------------> scans, writes scan-NNNNNN.seep
//   goes on <-------------- lets them go on                 |
//                           waits <------------------------ ends
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/scan/scan.h"
#include "preload/scan/stopped_threads.h"
#include "preload/snapshot/writer.h"

namespace seep::agent {

struct ScanOrder {
  format::ScanTime when = format::ScanTime::kExit;
  // Why figures of unreachable memory would be wrong whatever is found. kSampled: no look is worth
  // its cost.
  format::ScanProblem problem = format::ScanProblem::kNone;
  std::uint64_t begun_ns = 0;  // monotonic: since then the thread that asks does nothing else
  std::uint64_t limit_ns = 0;
  bool has_room = true;  // for a copy, in the memory that the process may use
  const std::atomic<bool>* gives_up = nullptr;  // once true, the outcome is not wanted any more
  const char* name = nullptr;                   // of the file
  const snapshot::Description* description = nullptr;
  scan::Question question;  // without threads and deadline
};

struct ScanOutcome {
  bool written = false;
  format::ScanRecord record{};
  std::uint64_t direct_blocks = 0;
};

class Scanner {
 public:
  constexpr Scanner() = default;
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  // By the thread that asks, before its stack is switched: what its callers hold from here on.
  [[gnu::always_inline]] void note_caller();

  // By that thread, before the walker is started.
  void prepare(const ScanOrder& order);
  // Does it, and returns the outcome. `directory` is where the file goes. Beside the program in the
  // walker; or in the thread that asks, where no walker can be made, and none can be stopped.
  ScanOutcome run(int directory, bool beside);
  // By the thread that asks, while the walker runs: true when the copy is made, and false after
  // some milliseconds without; to be called again while the walker lives. Gives the walker the
  // permission to stop threads, where that takes one.
  bool await_copy();
  // The same for the end of it all.
  bool await_end();

 private:
  struct Shared;  // with the copy

  // How far the walker is; each step is a release by one side, an acquire by the other, and a
  // futex.
  enum Step : std::uint32_t {
    kBegun,
    kAsksPermission,  // to trace; the thread that asks for the scan can give it
    kHasPermission,
    kCopyMade,  // or none can be made: the program may go on
    kEnded,
  };

  static void scan_in_copy(void* scanner);
  void scan_and_write();
  long copy_process(scan::StoppedThreads& threads, bool beside);
  bool stop_threads(scan::StoppedThreads& threads);
  bool ask_permission();
  void give_permission();
  void write_without_look(format::ScanProblem problem);
  void await_end_of(long copy, scan::StoppedThreads& threads);
  ScanOutcome finish();
  void go_to(Step step);
  bool await(Step step);

  ScanOrder order_;
  int directory_ = -1;
  scan::ThreadImage caller_{};
  Shared* shared_ = nullptr;
  std::uint32_t tracer_ = 0;  // id of the walker, while it asks
  std::atomic<std::uint32_t> step_{kBegun};
};

// Registers that a function must leave as they were, and the stack from here on: all that callers
// of this function still need.
inline void Scanner::note_caller() {
  std::uint64_t* words = caller_.words;
  __asm__ volatile(
      "movq %%rbx, 0(%[words])\n\t"
      "movq %%rbp, 8(%[words])\n\t"
      "movq %%r12, 16(%[words])\n\t"
      "movq %%r13, 24(%[words])\n\t"
      "movq %%r14, 32(%[words])\n\t"
      "movq %%r15, 40(%[words])\n\t"
      "movq %%rsp, 48(%[words])\n\t"
      :
      : [words] "r"(words)
      : "memory");
  caller_.word_count = 6;
  caller_.stack_pointer = words[6];
}

}  // namespace seep::agent
