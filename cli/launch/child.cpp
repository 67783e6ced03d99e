#include "cli/launch/child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cli/launch/signals.h"

namespace seep::launch {
namespace {

// Tells the parent why exec failed; closed by a successful exec.
class ExecPipe {
 public:
  ExecPipe() { valid_ = pipe2(ends_, O_CLOEXEC) == 0; }
  ~ExecPipe() { close_both(); }
  ExecPipe(const ExecPipe&) = delete;
  ExecPipe& operator=(const ExecPipe&) = delete;

  void report(int error) const {
    if (valid_ && write(ends_[1], &error, sizeof(error)) < 0) {
      return;  // the parent is gone: nobody to tell
    }
  }

  // Waits until the program has started (0) or could not (errno).
  int wait_for_exec() {
    if (!valid_) {
      return 0;
    }
    close(ends_[1]);
    ends_[1] = -1;
    int error = 0;
    ssize_t got = 0;
    do {
      got = read(ends_[0], &error, sizeof(error));
    } while (got < 0 && errno == EINTR);
    return got == sizeof(error) ? error : 0;
  }

 private:
  void close_both() {
    for (const int end : ends_) {
      if (end >= 0) {
        close(end);
      }
    }
  }

  int ends_[2] = {-1, -1};
  bool valid_ = false;
};

[[noreturn]] void become(const std::vector<std::string>& command, const BeforeExec& before_exec,
                         const SignalBlock& signals, const ExecPipe& pipe) {
  before_exec(getpid());
  signals.restore();
  pipe.report(replace_self(command));
  _exit(kStatusNotFound);
}

ChildEnd end_of(pid_t pid, int wait_status) {
  ChildEnd end;
  end.pid = pid;
  if (WIFSIGNALED(wait_status)) {
    end.signal = WTERMSIG(wait_status);
  } else {
    end.status = WEXITSTATUS(wait_status);
  }
  return end;
}

// Takes note of every child that changed; the wait status of `child` once it has ended, else -1.
int reap(pid_t child, const SignalBlock& signals) {
  const pid_t which = getpid() == 1 ? -1 : child;
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(which, &status, WNOHANG | WUNTRACED);
    if (pid <= 0) {
      return -1;
    }
    if (pid == child && WIFSTOPPED(status)) {
      signals.stop_self(WSTOPSIG(status));
    } else if (pid == child) {
      return status;
    }
  }
}

int wait_for_end(pid_t child, const SignalBlock& signals) {
  for (;;) {
    siginfo_t info{};
    const int signal = signals.wait(info);
    if (signal == SIGCHLD) {
      const int status = reap(child, signals);
      if (status >= 0) {
        return status;
      }
    } else if (signal > 0 && must_forward(info, child)) {
      forward(info, child);
    }
  }
}

}  // namespace

int ChildEnd::exit_status() const {
  if (exec_errno != 0) {
    return status_of_exec_errno(exec_errno);
  }
  return signal != 0 ? 128 + signal : status;
}

int status_of_exec_errno(int error) {
  return error == ENOENT || error == ENOTDIR ? kStatusNotFound : kStatusNotExecutable;
}

int replace_self(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  return errno;
}

ChildEnd run_child(const std::vector<std::string>& command, const BeforeExec& before_exec) {
  const SignalBlock signals;
  ExecPipe pipe;
  const pid_t pid = fork();
  if (pid == 0) {
    become(command, before_exec, signals, pipe);
  }
  if (pid < 0) {
    ChildEnd failed;
    failed.status = kStatusOwnFailure;
    return failed;
  }
  const int exec_errno = pipe.wait_for_exec();
  ChildEnd end = end_of(pid, wait_for_end(pid, signals));
  end.exec_errno = exec_errno;
  return end;
}

}  // namespace seep::launch
