// Which signals that reach `seep run` must be handed on to the program it started.
//
// A terminal sends its signals to the whole foreground process group, so the program has had them
// already; a signal that somebody sent to seep alone must be forwarded. The kernel tells the two
// apart: si_code is SI_KERNEL for the terminal's.
#pragma once

#include <sys/types.h>

#include <csignal>

namespace seep::launch {

// Blocks every signal that can be waited for while it lives, so that none is lost between two
// looks. Not thread safe: for a process with one thread.
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

  // Puts mask and SIGCHLD back as they were; for the child before exec.
  void restore() const;

  // The next signal, or -1 when a stop interrupted the wait.
  int wait(siginfo_t& info) const;

  // Stops this process as `signal` stopped the program, so that a shell sees the job stopped.
  // SIGSTOP is left out: it was meant for the program alone, and nothing would wake seep again.
  void stop_self(int signal) const;

 private:
  sigset_t waited_{};
  sigset_t before_{};
  struct sigaction sigchld_before_ {};
};

// True when the program `child` has not had this signal already.
bool must_forward(const siginfo_t& info, pid_t child);

// Sends it, with the value that sigqueue(3) gave it.
void forward(const siginfo_t& info, pid_t child);

}  // namespace seep::launch
