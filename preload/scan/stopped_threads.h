// Stops the threads of a process by ptrace, and reads their registers.
// Context: IN-AGENT, in a task that shares the memory of the process and is no thread of it (the
// walker): threads of one process cannot trace each other. Raw system calls, no thread-local
// storage.
//
// The stop is one that the kernel calls PTRACE_INTERRUPT: no signal is sent, and those that arrive
// meanwhile are delivered when the threads go on. Like any stop it makes some waits return early
// with EINTR (epoll_wait, poll, nanosleep and sigtimedwait do not: they are restarted, but
// sigtimedwait, epoll_wait and semop fail; see signal(7)).
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/scan/pages.h"
#include "preload/scan/thread_image.h"

namespace seep::scan {

class StoppedThreads {
 public:
  enum class Outcome : std::uint8_t {
    kDone,
    kRefused,      // the kernel does not let us trace the first of them: nothing is stopped
    kUnstoppable,  // one waits where the kernel does not interrupt it, or they are too many
  };

  StoppedThreads() = default;
  ~StoppedThreads() { release(); }
  StoppedThreads(const StoppedThreads&) = delete;
  StoppedThreads& operator=(const StoppedThreads&) = delete;

  // Stops all threads of `process` but `caller`, which waits for us. If that cannot be done, none
  // is.
  Outcome stop(std::uint32_t process, std::uint32_t caller);
  // Lets those that are stopped go on, with the signals that they were about to get.
  void release();
  // After kUnstoppable, now and then: those that could not be stopped then may have been since.
  void release_late();

  // Of the stopped threads; how many there are. One place is left in front for the caller's.
  [[nodiscard]] ThreadImage* images() { return images_.begin(); }
  [[nodiscard]] std::size_t count() const { return images_.size(); }
  bool add(const ThreadImage& image) { return images_.add(image); }
  // How many threads there are at most besides the caller, without stopping any.
  static std::size_t count_others(std::uint32_t process, std::uint32_t caller);

 private:
  struct Thread {
    std::uint32_t id;
    bool is_stopped;
    bool is_gone;
    int signal;  // that it was about to get
  };

  Outcome attach_new(std::uint32_t process, std::uint32_t caller, bool& found_new);
  Outcome attach(std::uint32_t process, std::uint32_t id);
  bool await_stops(std::uint32_t process);
  bool try_await(Thread& thread);
  bool read_registers(const Thread& thread);
  [[nodiscard]] bool knows(std::uint32_t id) const;

  static constexpr std::size_t kMostThreads = 16384;

  Pages<Thread> threads_;
  Pages<ThreadImage> images_;
};

}  // namespace seep::scan
