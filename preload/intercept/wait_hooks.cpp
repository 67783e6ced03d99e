// Waits for children of every kind, as tracers make them: they find the program's own, never a task
// of seep's. A child is looked for without being taken (WNOWAIT), and taken by its id when it is
// the program's. All other waits pass.
#include <errno.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "preload/intercept/real_functions.h"
#include "preload/runtime/call_filter.h"
#include "preload/runtime/own_tasks.h"
#include "preload/runtime/syscall.h"

namespace seep::intercept {
namespace {

using runtime::as_argument;
using runtime::g_command_tasks;
using runtime::g_copy_task;
using runtime::g_walker_task;
using runtime::g_watcher_tasks;
using runtime::raw_syscall;

constexpr int kEveryKind = __WALL | __WCLONE;

// What a wait is for, as waitid takes it.
struct Wait {
  idtype_t type;
  id_t id;
  int options;
};

// A filter of the program's may know wait4 alone.
bool may_look() {
  return !runtime::g_calls_are_filtered.load(std::memory_order_acquire) ||
         (runtime::is_harmless({__NR_waitid, {}}) && runtime::is_harmless({__NR_getpgrp, {}}));
}

bool may_meet_our_tasks(pid_t pid, int options) {
  return (options & kEveryKind) != 0 && pid <= 0 && pid != INT_MIN && may_look();
}

Wait as_waitid(pid_t pid, int options) {
  if (pid == -1) {
    return {P_ALL, 0, options | WEXITED};
  }
  return {P_PGID, static_cast<id_t>(pid == 0 ? raw_syscall(__NR_getpgrp) : -pid),
          options | WEXITED};
}

bool commands_run() {
  return g_watcher_tasks[0].is_unreaped() || g_watcher_tasks[1].is_unreaped() ||
         g_command_tasks[0].is_unreaped() || g_command_tasks[1].is_unreaped();
}

bool tasks_are_unreaped() {
  return g_walker_task.is_unreaped() || g_copy_task.is_unreaped() || commands_run();
}

bool is_our_task(pid_t pid) {
  return g_walker_task.is_met(pid) || g_copy_task.is_met(pid) || g_command_tasks[0].is_met(pid) ||
         g_command_tasks[1].is_met(pid) || g_watcher_tasks[0].is_met(pid) ||
         g_watcher_tasks[1].is_met(pid);
}

// Where a task of ours is among the children, the kernel does not say whether there are others.
// Those that are no clones can be asked for alone.
bool has_children_beside_ours(const Wait& wait) {
  siginfo_t found;
  return (wait.options & __WALL) != 0 &&
         raw_syscall(__NR_waitid, wait.type, wait.id, as_argument(&found),
                     (wait.options & ~kEveryKind) | WNOWAIT) == 0;
}

void nap() {
  const timespec time{0, 100000};
  raw_syscall(__NR_nanosleep, as_argument(&time), 0);
}

// A child of the program's that has something to tell; 0: none has (WNOHANG), or a command of
// SEEP_ON_LIMIT runs, which may take long; -1 and errno: as waitid.
pid_t find_child(const Wait& wait) {
  while (true) {
    const bool ours = tasks_are_unreaped();
    siginfo_t found;
    found.si_pid = 0;
    if (real().waitid(wait.type, wait.id, &found, wait.options | WNOWAIT) != 0) {
      return -1;
    }
    if (found.si_pid == 0) {
      if (!ours || commands_run() || has_children_beside_ours(wait)) {
        return 0;
      }
      nap();  // it ends soon
    } else if (!is_our_task(found.si_pid)) {
      return found.si_pid;
    }
  }
}

// Another thread may take what was found here: then the next one is looked for.
pid_t wait_for_own(const Wait& wait, int* status, int options, rusage* usage) {
  while (true) {
    const pid_t child = find_child(wait);
    if (child <= 0) {
      return child;
    }
    const pid_t taken = real().wait4(child, status, options | WNOHANG, usage);
    if (taken > 0 || (taken < 0 && errno != ECHILD)) {
      return taken;
    }
  }
}

int waitid_for_own(const Wait& wait, siginfo_t* info) {
  while (true) {
    const pid_t child = find_child(wait);
    if (child > 0) {
      const int result =
          real().waitid(P_PID, static_cast<id_t>(child), info, wait.options | WNOHANG);
      if (result != 0 ? errno != ECHILD : info->si_pid != 0) {
        return result;
      }
    } else {
      info->si_pid = 0;
      info->si_signo = 0;
      return child;
    }
  }
}

}  // namespace

SEEP_EXPORT pid_t wait4(pid_t pid, int* status, int options, rusage* usage) {
  return may_meet_our_tasks(pid, options)
             ? wait_for_own(as_waitid(pid, options), status, options, usage)
             : real().wait4(pid, status, options, usage);
}

SEEP_EXPORT pid_t waitpid(pid_t pid, int* status, int options) {
  return may_meet_our_tasks(pid, options)
             ? wait_for_own(as_waitid(pid, options), status, options, nullptr)
             : real().waitpid(pid, status, options);
}

SEEP_EXPORT pid_t wait3(int* status, int options, rusage* usage) {
  return wait4(-1, status, options, usage);
}

SEEP_EXPORT int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  if ((options & kEveryKind) == 0 || (type != P_ALL && type != P_PGID) || !may_look()) {
    return real().waitid(type, id, info, options);
  }
  siginfo_t unwanted;
  return waitid_for_own({type, id, options}, info != nullptr ? info : &unwanted);
}

}  // namespace seep::intercept
