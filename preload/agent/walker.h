// Runs a function beside the program in a short-lived task that shares its memory.
// Context: IN-AGENT. The task is made by raw clone(CLONE_VM) with exit signal 0: the program's
// waitpid(-1) does not see it, libc stays in its single-threaded ways, and nothing of it is left
// when it ends but its exit status, which running() takes. It inherits the signal mask, which must
// block everything, so that no handler of the program runs in it; it may use raw system calls and
// its own stack, and no thread-local storage.
#pragma once

#include <atomic>

namespace seep::agent {

class Walker {
 public:
  // Starts `run(argument)`, which may use the descriptor `kept` of the program and no other; false
  // when the kernel refuses. Only when running() is false.
  bool start(void (*run)(void*), void* argument, int kept);
  // True while it runs; reaps it when it has ended.
  bool running();
  // True from start() until running() has reaped it. Any thread.
  [[nodiscard]] bool is_unreaped() const { return pid_.load(std::memory_order_relaxed) != 0; }
  // In a fork's child: it is the parent's.
  void forget() { pid_.store(0, std::memory_order_relaxed); }

 private:
  static void enter(void* walker);

  std::atomic<int> pid_{0};  // relaxed: changed under the agent's busy flag
  void (*run_)(void*) = nullptr;
  void* argument_ = nullptr;
  int kept_ = -1;
  void* stack_ = nullptr;  // kept for the next one
};

}  // namespace seep::agent
