// Runs a function beside the program in a short-lived task that shares its memory.
// Context: IN-AGENT. The task is made by raw clone(CLONE_VM) with exit signal 0: the program's
// waitpid(-1) does not see it, libc stays in its single-threaded ways, and nothing of it is left
// when it ends. It has all signals blocked, so that no handler of the program runs in it; it may
// use raw system calls and its own stack, and no thread-local storage.
#pragma once

namespace seep::agent {

class Walker {
 public:
  // Starts `run(argument)`; false when the kernel refuses. One at a time.
  bool start(void (*run)(void*), void* argument);
  // True while it runs; reaps it when it has ended.
  bool running();
  // In a fork's child: it is the parent's.
  void forget() { pid_ = 0; }

 private:
  int pid_ = 0;
  void* stack_ = nullptr;  // kept for the next one
};

}  // namespace seep::agent
