// What filters of unknown text leave, by trial: part of call_filter.h.
//
// The text of a filter that was there when the image began cannot be read (ptrace gives it to
// privileged processes only). A child is made for the time of the trial; it shares one page with
// us, names in it each call that it is about to make, and the next child goes on behind the call
// that killed the last. It leaves no core file and is not seen by the program's wait.
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <string_view>

#include "preload/runtime/arena.h"
#include "preload/runtime/call_filter.h"
#include "preload/runtime/clocks.h"
#include "preload/runtime/syscall.h"

namespace seep::runtime {
namespace {

constexpr long kMostCalls = 512;
// Written before g_calls_are_filtered is released.
constinit std::uint64_t g_deadly[kMostCalls / 64] = {};

// The page that the child shares with us.
struct Trial {
  std::uint32_t at;        // the step that is being made; release by the child, acquire by us
  bool leaves_no_core[2];  // these calls were lived through
  std::uint32_t scratch[512];
};

constexpr std::uint32_t kWaitStep = 0;
constexpr std::uint64_t kPatienceNs = 500000000;  // for a child whose end cannot be waited for
constexpr unsigned kMostSteps = 64;
// Steps beyond the list: exit, by which a walker ends too, and those that avoid a core file.
constexpr std::uint32_t kExitStep = 1000;
constexpr std::uint32_t kNoCoreStep = 1001;

long argument_of(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}

// Every call that the library makes, with arguments that do nothing. wait4 is the first: without it
// nobody can wait for the rest.
unsigned calls_to_try(Trial& trial, Call* calls) {
  static constexpr char kNothing[] = "";
  const long none = argument_of(kNothing);
  const long scratch = argument_of(trial.scratch);
  const long page = scratch & ~static_cast<long>(kPageBytes - 1);
  const Call all[] = {
      {__NR_wait4, {-1, 0, WNOHANG | __WALL, 0}},
      {__NR_nanosleep, {argument_of(trial.scratch), 0}},
      {__NR_getpid, {}},
      {__NR_gettid, {}},
      {__NR_getppid, {}},
      {__NR_geteuid, {}},
      {__NR_uname, {scratch}},
      {__NR_getcwd, {scratch, 1}},
      {__NR_readlink, {none, scratch, 1}},
      {__NR_openat, {AT_FDCWD, none, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600}},
      {__NR_read, {-1, scratch, 1}},
      {__NR_write, {-1, scratch, 1}},
      {__NR_close, {-1}},
      {__NR_lseek, {-1, 0, 0}},
      {__NR_fstat, {-1, scratch}},
      {__NR_newfstatat, {AT_FDCWD, none, scratch, 0}},
      {__NR_faccessat, {AT_FDCWD, none, 3}},
      {__NR_fchmod, {-1, 0600}},
      {__NR_fchmodat, {AT_FDCWD, none, 0700}},
      {__NR_mkdirat, {AT_FDCWD, none, 0700}},
      {__NR_unlinkat, {AT_FDCWD, none, 0}},
      {__NR_renameat, {AT_FDCWD, none, AT_FDCWD, none}},
      {__NR_fcntl, {-1, F_DUPFD_CLOEXEC, 800}},
      {__NR_ftruncate, {-1, 0}},
      {__NR_fstatfs, {-1, scratch}},
      {__NR_getdents64, {-1, scratch, 24}},
      {__NR_fchdir, {-1}},
      {__NR_futex, {scratch, 129, 0}},
      {__NR_close_range, {0xFFFFFFFE, 0xFFFFFFFE, 0}},
      {__NR_ioctl, {-1, 0, 0}},
      {__NR_mmap, {0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
      {__NR_munmap, {page, 0}},
      {__NR_madvise, {page, 0, MADV_WIPEONFORK}},
      {__NR_mincore, {page, kPageBytes, scratch}},
      {__NR_process_vm_readv, {-1, 0, 0, 0, 0, 0}},
      {__NR_rt_sigprocmask, {-1, scratch, 0, 8}},
      {__NR_rt_sigpending, {scratch, 8}},
      {__NR_rt_sigtimedwait, {scratch, 0, scratch, 8}},
      {__NR_rt_sigaction, {64, 0, scratch, 8}},
      {__NR_tgkill, {-1, -1, 0}},
      {__NR_prlimit64, {0, RLIMIT_NOFILE, 0, scratch}},
      {__NR_clock_gettime, {CLOCK_THREAD_CPUTIME_ID, scratch}},
      {__NR_sched_yield, {}},
      {__NR_ptrace, {PTRACE_DETACH, -1, 0, 0}},
      {__NR_prctl, {PR_GET_DUMPABLE}},
      {__NR_setsid, {}},
      {__NR_execve, {none, 0, 0}},
  };
  unsigned count = 0;
  for (const Call& call : all) {
    calls[count++] = call;
  }
  return count;
}

void make(const Call& call) {
  const long* with = call.arguments;
  enter_kernel(call.number, with[0], with[1], with[2], with[3], with[4], with[5]);
}

// By core(5), a limit of 1 also keeps it from programs that take core files through a pipe.
void leave_no_core(Trial& trial) {
  const std::uint64_t limit[2] = {1, 1};
  const Call calls[] = {{__NR_prctl, {PR_SET_DUMPABLE, 0}},
                        {__NR_prlimit64, {0, RLIMIT_CORE, argument_of(limit), 0}}};
  for (std::uint32_t i = 0; i < 2; ++i) {
    if (trial.leaves_no_core[i]) {
      __atomic_store_n(&trial.at, kNoCoreStep + i, __ATOMIC_RELEASE);
      make(calls[i]);
    }
  }
}

// IN-FORK-CHILD.
[[noreturn]] void try_calls(Trial& trial, const Call* calls, unsigned begin, unsigned count) {
  if (begin == kWaitStep) {
    __atomic_store_n(&trial.at, kWaitStep, __ATOMIC_RELEASE);
    make(calls[begin++]);
  }
  leave_no_core(trial);
  for (unsigned i = begin; i < count; ++i) {
    __atomic_store_n(&trial.at, i, __ATOMIC_RELEASE);
    make(calls[i]);
  }
  __atomic_store_n(&trial.at, kExitStep, __ATOMIC_RELEASE);
  while (true) {
    enter_kernel(__NR_exit, 0);
  }
}

void note_deadly(long number) {
  g_deadly[number / 64] |= std::uint64_t{1} << (number % 64);
  g_calls_are_filtered.store(true, std::memory_order_release);
}

// Whether a child got past its wait4: before that we must not call it ourselves.
bool wait_is_harmless(const Trial& trial) {
  const std::uint64_t end = clock_ns(CLOCK_MONOTONIC) + kPatienceNs;  // without a system call
  while (__atomic_load_n(&trial.at, __ATOMIC_ACQUIRE) == kWaitStep) {
    if (clock_ns(CLOCK_MONOTONIC) > end) {
      return false;
    }
  }
  return true;
}

// The first child would be the init of a namespace that the image before this one has made
// (unshare(1) without --fork): its end would leave the program no fork.
bool child_would_be_init() {
  constexpr char kOfChildren[] = "/proc/self/ns/pid_for_children";
  const long target =
      enter_kernel(__NR_openat, AT_FDCWD, argument_of(kOfChildren), O_RDONLY | O_CLOEXEC);
  if (target != -ENOENT) {
    enter_kernel(__NR_close, target);
    return false;
  }
  const long link = enter_kernel(__NR_openat, AT_FDCWD, argument_of(kOfChildren),
                                 O_PATH | O_NOFOLLOW | O_CLOEXEC);
  enter_kernel(__NR_close, link);
  return link >= 0;
}

// One child after the other, until one comes to the end of the list.
bool run_trial(Trial& trial, const Call* calls, unsigned count) {
  unsigned begin = 0;
  bool may_wait = false;
  while (true) {
    trial.at = kWaitStep;
    const long pid = enter_kernel(__NR_clone, 0, 0, 0, 0, 0);
    if (pid == 0) {
      try_calls(trial, calls, begin, count);
    }
    if (pid < 0 || (!may_wait && !wait_is_harmless(trial))) {
      return false;
    }
    may_wait = true;
    int status = 0;
    if (enter_kernel(__NR_wait4, pid, argument_of(&status), __WALL, 0) != pid || status == 0) {
      return status == 0;
    }
    const std::uint32_t at = __atomic_load_n(&trial.at, __ATOMIC_ACQUIRE);
    if (at >= kNoCoreStep) {
      trial.leaves_no_core[at - kNoCoreStep] = false;
    } else if (at == kExitStep) {
      note_deadly(__NR_exit);
      return true;
    } else {
      note_deadly(calls[at].number);
      begin = at + 1;
    }
  }
}

// Only calls that the loader has made already.
// "Seccomp:	2" of /proc/self/status; where it cannot be read there may be one.
bool may_be_filtered() {
  char text[4096];
  const long fd =
      enter_kernel(__NR_openat, AT_FDCWD, argument_of("/proc/self/status"), O_RDONLY | O_CLOEXEC);
  const long size = enter_kernel(__NR_read, fd, argument_of(text), sizeof(text));
  enter_kernel(__NR_close, fd);
  const std::string_view status(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  constexpr std::string_view kNone = "\nSeccomp:\t0\n";
  return status.find(kNone) == std::string_view::npos;
}

}  // namespace

bool was_deadly(long number) {
  return number >= 0 && number < kMostCalls && (g_deadly[number / 64] >> (number % 64) & 1U) != 0;
}

void try_calls_if_filtered() {
  if (!may_be_filtered()) {
    return;
  }
  const long page = enter_kernel(__NR_mmap, 0, kPageBytes, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (failed(page)) {
    refuse_all_calls();
    return;
  }
  auto& trial = *reinterpret_cast<Trial*>(page);
  trial.leaves_no_core[0] = trial.leaves_no_core[1] = true;
  Call calls[kMostSteps];
  const unsigned count = calls_to_try(trial, calls);
  if (child_would_be_init() || !run_trial(trial, calls, count)) {
    refuse_all_calls();
  }
  enter_kernel(__NR_munmap, page, kPageBytes);
}

}  // namespace seep::runtime
