// Runs a function beside the program in a short-lived task that shares its memory.
// Context: IN-AGENT. The task is made by raw clone(CLONE_VM) with exit signal 0: the program's
// waitpid(-1) does not see it, and one with __WALL passes by it (runtime/own_tasks.h); libc stays
// in its single-threaded ways, and nothing of it is left when it ends but its exit status, which
// running() takes. It inherits the signal mask, which must block everything, so that no handler of
// the program runs in it; it may use raw system calls and its own stack, and no thread-local
// storage.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/runtime/own_tasks.h"

namespace seep::agent {

class Walker {
 public:
  constexpr explicit Walker(runtime::OwnTask& task) : task_(task) {}

  // Gets the descriptor, for *at calls, of the directory that start() was given (-1: the program's
  // working directory); -1 when the task
  // could not leave the program's descriptors, which it must not touch then.
  using Run = void (*)(void* argument, int directory);

  // Starts `run(argument, …)`, which sees no other descriptor of the program than `directory`;
  // false where such a task cannot be made. Only when running() is false.
  bool start(Run run, void* argument, int directory);
  // True while it runs; reaps it when it has ended.
  bool running() { return task_.is_running(); }
  // In a fork's child, which has no such task.
  void forget() {
    task_.forget();
    has_left_.store(1, std::memory_order_relaxed);
  }
  // False while it may still need the descriptor that start() was given.
  [[nodiscard]] bool has_left() const { return has_left_.load(std::memory_order_acquire) != 0; }
  // Of the task, once one was started.
  [[nodiscard]] std::uintptr_t stack_begin() const {
    return reinterpret_cast<std::uintptr_t>(stack_);
  }
  [[nodiscard]] std::uintptr_t stack_end() const { return stack_begin() + kStackBytes; }
  // True from start() until running() has reaped it. Any thread.
  [[nodiscard]] bool is_unreaped() const { return task_.is_unreaped(); }

 private:
  static constexpr std::size_t kStackBytes = std::size_t{128} << 10;

  static void enter(void* walker);
  bool is_possible();
  void wait_until_left();

  runtime::OwnTask& task_;
  // The task has left the program's descriptors, or there is none: a futex; release by the task,
  // acquire in start() and has_left().
  std::atomic<int> has_left_{1};
  Run run_ = nullptr;
  void* argument_ = nullptr;
  int directory_ = -1;
  bool is_tried_ = false;
  bool is_refused_ = false;  // written by the task, read when it has ended
  void* stack_ = nullptr;    // kept for the next one
};

}  // namespace seep::agent
