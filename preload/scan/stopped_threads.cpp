#include "preload/scan/stopped_threads.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include <string_view>

#include "preload/runtime/clocks.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"
#include "preload/runtime/text.h"

namespace seep::scan {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

// For a thread in an uninterruptible wait; and for one that only waits for a processor, as all do
// where a machine is very busy.
constexpr std::uint64_t kPatienceNs = 50000000;
constexpr std::uint64_t kRunnablePatienceNs = 1000000000;
constexpr unsigned kYields = 100;
constexpr std::size_t kListBytes = 4096;

static_assert(sizeof(user_regs_struct) == ThreadImage::kGeneralWords * sizeof(std::uint64_t));

struct DirectoryEntry {  // linux_dirent64
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t bytes;
  std::uint8_t type;
  char name[1];
};

runtime::Text<64> task_path(std::uint32_t process) {
  runtime::Text<64> path;
  path.add("/proc/").add_decimal(process).add("/task");
  return path;
}

// Calls visit(thread id) for each thread of the process until it returns false; false when they
// cannot be listed.
template <typename Visit>
bool visit_threads(std::uint32_t process, Visit&& visit) {
  const int fd = runtime::open_file(AT_FDCWD, task_path(process).c_str(), O_RDONLY | O_DIRECTORY);
  if (fd < 0) {
    return false;
  }
  alignas(8) char list[kListBytes];
  long size = 0;
  bool go_on = true;
  while (go_on && (size = raw_syscall(__NR_getdents64, fd, as_argument(list), sizeof(list))) > 0) {
    for (long at = 0; go_on && at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(list + at);
      at += entry->bytes;
      std::string_view name = runtime::view_of(entry->name);
      std::uint64_t id = 0;
      if (runtime::take_number(name, 10, id)) {
        go_on = visit(static_cast<std::uint32_t>(id));
      }
    }
  }
  runtime::close_file(fd);
  return size >= 0;
}

// As /proc says it: "4711 (name) Z …". X where nothing is said.
char state_of(std::uint32_t process, std::uint32_t id) {
  runtime::Text<64> path = task_path(process);
  path.add("/").add_decimal(id).add("/stat");
  char text[512];
  const long size = runtime::read_file(AT_FDCWD, path.c_str(), text, sizeof(text));
  const std::string_view stat(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string_view::npos || name_end + 2 >= stat.size() ? 'X'
                                                                           : stat[name_end + 2];
}

// Perhaps nobody has seen its end yet.
bool has_ended(std::uint32_t process, std::uint32_t id) {
  const char state = state_of(process, id);
  return state == 'Z' || state == 'X' || state == 'x';
}

// When it has a processor; or it just has stopped.
bool stops_soon(std::uint32_t process, std::uint32_t id) {
  const char state = state_of(process, id);
  return state == 'R' || state == 't';
}

}  // namespace

std::size_t StoppedThreads::count_others(std::uint32_t process, std::uint32_t caller) {
  std::size_t count = 0;
  visit_threads(process, [&](std::uint32_t id) {
    count += id != caller && !has_ended(process, id) ? 1U : 0U;
    return true;
  });
  return count;
}

bool StoppedThreads::knows(std::uint32_t id) const {
  for (const Thread& thread : threads_) {
    if (thread.id == id) {
      return true;
    }
  }
  return false;
}

// A thread that runs may make another one before it is stopped: until no new one is found.
StoppedThreads::Outcome StoppedThreads::stop(std::uint32_t process, std::uint32_t caller) {
  if (!threads_.map(kMostThreads) || !images_.map(kMostThreads + 1)) {
    return Outcome::kUnstoppable;
  }
  if (has_ended(process, caller)) {
    return Outcome::kRefused;  // it is another process, where /proc is that of another namespace
  }
  Outcome outcome = Outcome::kDone;
  for (bool found_new = true; found_new && outcome == Outcome::kDone;) {
    outcome = attach_new(process, caller, found_new);
    if (outcome == Outcome::kDone && !await_stops(process)) {
      outcome = Outcome::kUnstoppable;
    }
  }
  for (const Thread& thread : threads_) {
    if (outcome == Outcome::kDone && !thread.is_gone && !read_registers(thread)) {
      outcome = Outcome::kUnstoppable;
    }
  }
  if (outcome != Outcome::kDone) {
    release();
  }
  return outcome;
}

StoppedThreads::Outcome StoppedThreads::attach_new(std::uint32_t process, std::uint32_t caller,
                                                   bool& found_new) {
  Outcome outcome = Outcome::kDone;
  found_new = false;
  const bool listed = visit_threads(process, [&](std::uint32_t id) {
    if (id != caller && !knows(id)) {
      found_new = true;
      outcome = attach(process, id);
    }
    return outcome == Outcome::kDone;
  });
  return listed ? outcome : Outcome::kUnstoppable;
}

StoppedThreads::Outcome StoppedThreads::attach(std::uint32_t process, std::uint32_t id) {
  const long result = raw_syscall(__NR_ptrace, PTRACE_SEIZE, id, 0, 0);
  if (result == 0) {
    raw_syscall(__NR_ptrace, PTRACE_INTERRUPT, id, 0, 0);
    return threads_.add({id, false, false, 0}) ? Outcome::kDone : Outcome::kUnstoppable;
  }
  if (result == -ESRCH || has_ended(process, id)) {
    return threads_.add({id, true, true, 0}) ? Outcome::kDone : Outcome::kUnstoppable;
  }
  return threads_.size() == 0 ? Outcome::kRefused : Outcome::kUnstoppable;
}

// True when it is known how the thread stands.
bool StoppedThreads::try_await(Thread& thread) {
  int status = 0;
  const long result = raw_syscall(__NR_wait4, thread.id, as_argument(&status), WNOHANG | __WALL, 0);
  if (result == 0) {
    return false;
  }
  thread.is_gone = result < 0 || WIFEXITED(status) || WIFSIGNALED(status);
  thread.is_stopped = true;
  // The stop that was asked for is an event; anything else is a signal on its way.
  const bool is_event = status >> 16 != 0;
  thread.signal = thread.is_gone || is_event ? 0 : WSTOPSIG(status);
  return true;
}

bool StoppedThreads::await_stops(std::uint32_t process) {
  const std::uint64_t begin = runtime::clock_ns(CLOCK_MONOTONIC);
  unsigned looks = 0;
  for (Thread& thread : threads_) {
    while (!thread.is_stopped && !try_await(thread)) {
      if (++looks < kYields) {
        raw_syscall(__NR_sched_yield);
        continue;
      }
      constexpr timespec kNap{0, 50000};
      raw_syscall(__NR_nanosleep, as_argument(&kNap), 0);
      const std::uint64_t waited = runtime::clock_ns(CLOCK_MONOTONIC) - begin;
      if (waited > kPatienceNs &&
          (waited > kRunnablePatienceNs || !stops_soon(process, thread.id))) {
        return false;
      }
    }
  }
  return true;
}

bool StoppedThreads::read_registers(const Thread& thread) {
  if (!images_.add({})) {
    return false;
  }
  ThreadImage& image = images_[images_.size() - 1];
  image.id = thread.id;
  iovec general{image.words, sizeof(user_regs_struct)};
  if (raw_syscall(__NR_ptrace, PTRACE_GETREGSET, thread.id, NT_PRSTATUS, as_argument(&general)) !=
      0) {
    return false;
  }
  const auto* registers = reinterpret_cast<const user_regs_struct*>(image.words);
  image.stack_pointer = registers->rsp;
  image.thread_pointer = registers->fs_base;
  image.word_count = ThreadImage::kGeneralWords;
  iovec vectors{image.words + ThreadImage::kGeneralWords,
                ThreadImage::kVectorWords * sizeof(std::uint64_t)};
  if (raw_syscall(__NR_ptrace, PTRACE_GETREGSET, thread.id, NT_X86_XSTATE, as_argument(&vectors)) !=
          0 &&
      raw_syscall(__NR_ptrace, PTRACE_GETREGSET, thread.id, NT_PRFPREG, as_argument(&vectors)) !=
          0) {
    return false;
  }
  image.word_count += vectors.iov_len / sizeof(std::uint64_t);
  return true;
}

// One that is not stopped cannot be let go yet.
void StoppedThreads::release() {
  for (Thread& thread : threads_) {
    if (thread.is_stopped && !thread.is_gone) {
      raw_syscall(__NR_ptrace, PTRACE_DETACH, thread.id, 0, thread.signal);
    }
    thread.is_gone = thread.is_gone || thread.is_stopped;
  }
}

void StoppedThreads::release_late() {
  bool any = false;
  for (Thread& thread : threads_) {
    any = (!thread.is_gone && try_await(thread)) || any;
  }
  if (any) {
    release();
  }
}

}  // namespace seep::scan
