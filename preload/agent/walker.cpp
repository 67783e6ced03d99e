#include "preload/agent/walker.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <time.h>

#include "preload/runtime/arena.h"
#include "preload/runtime/call_filter.h"
#include "preload/runtime/clone_task.h"
#include "preload/runtime/pid_namespace.h"
#include "preload/runtime/syscall.h"
#include "preload/runtime/valgrind.h"

namespace seep::agent {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

constexpr unsigned kNoDescriptor = ~0U - 1;
// As long as a busy machine may take to run it: 2 ms were too few for some (load 12).
constexpr long kPatienceNs = 100000000;
// Without CLONE_FS: while tasks share it, the program may not enter another mount or user namespace
// (setns(2)).
constexpr long kFlags = CLONE_VM | CLONE_FILES | CLONE_UNTRACED | CLONE_PARENT_SETTID;

}  // namespace

// The program's descriptors are shared until the task runs: a copy made by clone would keep open
// what the program closes until then, a time slice or more on a busy machine. The first call that
// changes them leaves them and closes all in one. The directory stays ours as the working
// directory.
void Walker::enter(void* walker) {
  auto* self = static_cast<Walker*>(walker);
  const bool is_there = self->directory_ < 0 || raw_syscall(__NR_fchdir, self->directory_) == 0;
  const bool has_closed = raw_syscall(__NR_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) == 0;
  const bool alone = is_there && has_closed;
  if (!has_closed) {
    self->is_refused_ = true;
  }
  self->has_left_.store(1, std::memory_order_release);
  raw_syscall(__NR_futex, as_argument(&self->has_left_), FUTEX_WAKE_PRIVATE, 1);
  self->run_(self->argument_, alone ? AT_FDCWD : -1);
}

// A filter of the program's may forbid to make it, what it begins with, or to end it; Linux before
// 5.9, and some containers, have no close_range.
bool Walker::is_possible() {
  if (!is_tried_) {
    is_tried_ = true;
    is_refused_ = runtime::g_under_valgrind ||
                  raw_syscall(__NR_close_range, kNoDescriptor, kNoDescriptor, 0) != 0;
  }
  return !is_refused_ && runtime::children_share_pid_namespace() &&
         (!runtime::g_calls_are_filtered.load(std::memory_order_acquire) ||
          (runtime::is_harmless({__NR_clone, {kFlags}}) &&
           runtime::is_harmless({__NR_fchdir, {directory_}}) &&
           runtime::is_harmless({__NR_close_range, {0, ~0U, CLOSE_RANGE_UNSHARE}}) &&
           runtime::is_harmless({__NR_exit, {}})));
}

void Walker::wait_until_left() {
  const timespec patience{0, kPatienceNs};
  while (has_left_.load(std::memory_order_acquire) == 0) {
    if (raw_syscall(__NR_futex, as_argument(&has_left_), FUTEX_WAIT_PRIVATE, 0,
                    as_argument(&patience)) != 0) {
      return;  // it has left meanwhile, or the machine is busy
    }
  }
}

bool Walker::start(Run run, void* argument, int directory) {
  run_ = run;
  argument_ = argument;
  directory_ = directory;
  if (!is_possible()) {
    return false;
  }
  if (stack_ == nullptr) {
    stack_ = runtime::map_pages(kStackBytes);
    if (stack_ == nullptr) {
      return false;
    }
  }
  has_left_.store(0, std::memory_order_relaxed);
  const long pid = runtime::clone_and_run(kFlags, static_cast<char*>(stack_) + kStackBytes,
                                          task_.place_of_id(), enter, this);
  if (pid <= 0) {
    has_left_.store(1, std::memory_order_relaxed);
    return false;
  }
  wait_until_left();
  return true;
}

}  // namespace seep::agent
