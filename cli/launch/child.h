// Starts the program of `seep run` and stays with it to its end: signals reach it once, a stop of
// the job stops both, and every child is reaped when seep is PID 1.
// Not thread safe: to be called while the process has one thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace seep::launch {

inline constexpr int kStatusOwnFailure = 125;
inline constexpr int kStatusNotExecutable = 126;
inline constexpr int kStatusNotFound = 127;

struct ChildEnd {
  pid_t pid = 0;       // 0: no process could be made; errno says why
  int exec_errno = 0;  // not 0: the program never started
  int status = 0;      // of exit; meaningless when signal is not 0
  int signal = 0;      // that ended it

  // What seep ends with: the status, 128 + signal, or 125 to 127.
  [[nodiscard]] int exit_status() const;
};

// Called in the new process just before exec, with its PID.
using BeforeExec = std::function<void(pid_t)>;

// Returns when the program has ended.
ChildEnd run_child(const std::vector<std::string>& command, const BeforeExec& before_exec);

// Replaces this process by the program; returns errno when that failed.
int replace_self(const std::vector<std::string>& command);

// 126 or 127, by what exec said.
int status_of_exec_errno(int error);

}  // namespace seep::launch
