#include "preload/scan/process_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <string_view>

#include "preload/runtime/call_filter.h"
#include "preload/runtime/clocks.h"
#include "preload/runtime/file.h"
#include "preload/runtime/own_tasks.h"
#include "preload/runtime/pid_namespace.h"
#include "preload/runtime/syscall.h"
#include "preload/runtime/valgrind.h"

namespace seep::scan {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

void limit_harm() {
  const ProcReadable readable;
  constexpr std::string_view kFirst = "1000";
  const int fd = runtime::open_file(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY);
  if (fd >= 0) {
    runtime::write_all(fd, kFirst.data(), kFirst.size());
    runtime::close_file(fd);
  }
  const rlimit64 no_core{0, 0};
  raw_syscall(__NR_prlimit64, 0, RLIMIT_CORE, as_argument(&no_core), 0);
  rlimit64 space{};
  raw_syscall(__NR_prlimit64, 0, RLIMIT_AS, 0, as_argument(&space));
  space.rlim_cur = space.rlim_max;  // what the program allows itself is not for the copy
  raw_syscall(__NR_prlimit64, 0, RLIMIT_AS, as_argument(&space), 0);
  raw_syscall(__NR_prctl, PR_SET_NAME, as_argument("seep-scan"));
}

}  // namespace

ProcReadable::ProcReadable() : was_(raw_syscall(__NR_prctl, PR_GET_DUMPABLE)) {
  if (was_ == 0) {
    raw_syscall(__NR_prctl, PR_SET_DUMPABLE, 1);
  }
}

ProcReadable::~ProcReadable() {
  if (was_ == 0) {
    raw_syscall(__NR_prctl, PR_SET_DUMPABLE, 0);
  }
}

// A filter of system calls may leave no way to end it, or to wait for it.
static bool is_possible() {
  if (runtime::g_under_valgrind || !runtime::children_share_pid_namespace()) {
    return false;
  }
  return !runtime::g_calls_are_filtered.load(std::memory_order_acquire) ||
         (runtime::is_harmless({__NR_exit, {}}) && runtime::is_harmless({__NR_wait4, {}}) &&
          runtime::is_harmless({__NR_tgkill, {1, 1, SIGKILL}}));
}

long make_copy(void (*run)(void*), void* argument) {
  if (!is_possible()) {
    return -EPERM;
  }
  const long copy = raw_syscall(__NR_clone, CLONE_UNTRACED | CLONE_PARENT_SETTID, 0,
                                as_argument(runtime::g_copy_task.place_of_id()));
  if (copy == 0) {
    limit_harm();
    run(argument);
    while (true) {
      raw_syscall(__NR_exit, 0);
    }
  }
  return copy;
}

bool CopyWait::has_ended() {
  if (!runtime::g_copy_task.is_running()) {
    return true;
  }
  if (!is_killed_ && runtime::clock_ns(CLOCK_MONOTONIC) > deadline_ns_) {
    is_killed_ = true;
    raw_syscall(__NR_tgkill, copy_, copy_, SIGKILL);
  }
  return false;
}

// Most copies of small processes end within milliseconds.
void CopyWait::nap() {
  constexpr long kShortNapNs = 100000;
  constexpr long kLongNapNs = 2000000;
  constexpr unsigned kShortNaps = 30;
  const timespec time{0, naps_ < kShortNaps ? kShortNapNs : kLongNapNs};
  ++naps_;
  raw_syscall(__NR_nanosleep, as_argument(&time), 0);
}

void* map_shared(std::size_t bytes) {
  const long page = raw_syscall(__NR_mmap, 0, static_cast<long>(bytes), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return runtime::failed(page) ? nullptr : reinterpret_cast<void*>(page);
}

void unmap_shared(void* begin, std::size_t bytes) {
  raw_syscall(__NR_munmap, as_argument(begin), static_cast<long>(bytes));
}

}  // namespace seep::scan
