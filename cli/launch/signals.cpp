#include "cli/launch/signals.h"

#include <unistd.h>

#include <fstream>
#include <string>

namespace seep::launch {
namespace {

bool is_stopped(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // the name may hold anything
  return name_end != std::string::npos && name_end + 2 < line.size() && line[name_end + 2] == 'T';
}

}  // namespace

SignalBlock::SignalBlock() {
  sigfillset(&waited_);
  // Faults of seep itself must not be swallowed. (abort(3) unblocks SIGABRT itself, so that one of
  // a supervisor's watchdog can be handed on.)
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
    sigdelset(&waited_, fault);
  }
  sigprocmask(SIG_BLOCK, &waited_, &before_);
  // Inherited as ignored, SIGCHLD would make the kernel throw the program's status away.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, &sigchld_before_);
}

SignalBlock::~SignalBlock() {
  restore();
}

void SignalBlock::restore() const {
  sigaction(SIGCHLD, &sigchld_before_, nullptr);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int SignalBlock::wait(siginfo_t& info) const {
  return sigwaitinfo(&waited_, &info);
}

void SignalBlock::stop_self(int signal) const {
  if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) {
    return;
  }
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);  // stops here until SIGCONT
  sigprocmask(SIG_BLOCK, &one, nullptr);
}

bool must_forward(const siginfo_t& info, pid_t child) {
  if (info.si_signo == SIGCONT) {
    return is_stopped(child);  // a shell's `fg` continues the whole group
  }
  if (info.si_code != SI_KERNEL) {
    return true;
  }
  // A terminal that hangs up tells only the session's leader.
  return info.si_signo == SIGHUP && getsid(0) == getpid();
}

void forward(const siginfo_t& info, pid_t child) {
  if (info.si_code == SI_QUEUE) {
    sigqueue(child, info.si_signo, info.si_value);
  } else {
    kill(child, info.si_signo);
  }
}

}  // namespace seep::launch
