#include "preload/agent/limit_command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "preload/intercept/preload_list.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/call_filter.h"
#include "preload/runtime/clone_task.h"
#include "preload/runtime/syscall.h"
#include "preload/stack/proc_maps.h"

// Made by the linker: where this library begins and ends.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the names are the
// linker's
[[gnu::visibility("hidden")]] extern const char __ehdr_start;
[[gnu::visibility("hidden")]] extern const char _end;
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace seep::agent {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

constexpr std::size_t kStackBytes = std::size_t{16} << 10;
// The parent of the watcher is the program; its end has no signal, as that of its maker.
constexpr long kWatcherFlags = CLONE_PARENT | CLONE_UNTRACED | CLONE_PARENT_SETTID;
// Smaller areas are not worth a call; tables that libc needs are among them.
constexpr std::size_t kLeastGivenBack = std::size_t{256} << 10;
constexpr unsigned kMostNapsBeforeExec = 2000;
// The watcher sleeps until the command is another program, or has ended.
constexpr long kFlags = CLONE_VM | CLONE_VFORK | CLONE_UNTRACED;
constexpr long kNapNs = 20000000;
constexpr char kSnapshotIs[] = "SEEP_LIMIT_SNAPSHOT=";
constexpr char kShell[] = "/bin/sh";
constexpr int kSignals = 64;

// As the kernel has it.
struct KernelAction {
  void (*handler)(int) = SIG_DFL;
  unsigned long flags = 0;
  void (*restorer)() = nullptr;
  std::uint64_t mask = 0;
};

struct Area {
  std::uintptr_t begin;
  std::uintptr_t end;
};

Area own_image() {
  return {reinterpret_cast<std::uintptr_t>(&__ehdr_start), reinterpret_cast<std::uintptr_t>(&_end)};
}

// Less what is in [kept.begin, kept.end).
void unmap_but(Area area, Area kept) {
  const std::uintptr_t low = kept.begin & ~(runtime::kPageBytes - 1);
  const std::uintptr_t high = (kept.end + runtime::kPageBytes - 1) & ~(runtime::kPageBytes - 1);
  const Area parts[] = {{area.begin, area.end < low ? area.end : low},
                        {area.begin > high ? area.begin : high, area.end}};
  for (const Area& part : parts) {
    if (part.begin < part.end) {
      raw_syscall(__NR_munmap, static_cast<long>(part.begin),
                  static_cast<long>(part.end - part.begin));
    }
  }
}

bool meets(Area a, Area b) {
  return a.begin < b.end && b.begin < a.end;
}

bool set_default(int signal) {
  const KernelAction action;
  return raw_syscall(__NR_rt_sigaction, signal, as_argument(&action), 0, sizeof(action.mask)) == 0;
}

bool is_of_seep(std::string_view entry) {
  constexpr std::string_view kOurs = "SEEP_";
  return entry.substr(0, kOurs.size()) == kOurs;
}

// The program's are closed. Where there is no /dev/null (chroot), the command has none either.
void open_standard_streams() {
  const long null = raw_syscall(__NR_openat, AT_FDCWD, as_argument("/dev/null"), O_RDWR);
  for (int number = 1; null == 0 && number <= 2; ++number) {
    raw_syscall(__NR_fcntl, null, F_DUPFD, number);
  }
}

}  // namespace

bool CommandEnvironment::copy(const char* const* environment) {
  std::size_t bytes = 0;
  std::size_t most = 0;
  for (; environment[most] != nullptr; ++most) {
    bytes += runtime::length_of(environment[most]) + 1;
  }
  entries_ = static_cast<char**>(runtime::map_pages((most + 1) * sizeof(char*)));
  auto* text = static_cast<char*>(runtime::map_pages(bytes + 1));
  if (entries_ == nullptr || text == nullptr) {
    return false;
  }
  for (std::size_t i = 0; i < most; ++i) {
    const std::string_view entry = runtime::view_of(environment[i]);
    if (intercept::is_preload_variable(entry)) {
      if (!intercept::copy_without_seep(entry, text)) {
        continue;
      }
    } else if (is_of_seep(entry)) {
      continue;
    } else {
      memcpy(text, entry.data(), entry.size() + 1);
    }
    entries_[count_++] = text;
    text += entry.size() + 1;
  }
  return true;
}

// ---- the thread that starts it ------------------------------------------------------------------

bool LimitCommand::build_environment(const CommandEnvironment& environment) {
  for (runtime::Path& variable : variables_) {
    variable.clear();
  }
  variables_[0].add("SEEP_LIMIT=").add(kLimitNames[static_cast<unsigned>(event_.which)]);
  variables_[1].add("SEEP_LIMIT_PID=").add_decimal(event_.pid);
  variables_[2].add("SEEP_LIMIT_RSS=").add_decimal(event_.rss_bytes);
  variables_[3].add("SEEP_LIMIT_BYTES=").add_decimal(event_.limit_bytes);
  variables_[4].add("SEEP_LIMIT_RECORDING=").add(event_.recording);
  variables_[kSnapshotVariable].add(kSnapshotIs).add(event_.snapshot);
  const std::size_t count = environment.count() + kVariables;
  if (environment_ == nullptr) {
    environment_ = static_cast<char**>(runtime::map_pages((count + 1) * sizeof(char*)));
  }
  if (stack_ == nullptr) {
    stack_ = runtime::map_pages(kStackBytes);
  }
  if (ends_ == nullptr) {
    const long page = raw_syscall(__NR_mmap, 0, runtime::kPageBytes, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ends_ = runtime::failed(page) ? nullptr : reinterpret_cast<int*>(page);
  }
  if (environment_ == nullptr || stack_ == nullptr || ends_ == nullptr) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    environment_[i] = i < kVariables ? const_cast<char*>(variables_[i].c_str())
                                     : environment.entry(i - kVariables);
  }
  return true;
}

bool LimitCommand::start(const char* command, const CommandEnvironment& environment,
                         const LimitEvent& event, int directory) {
  event_ = event;
  command_ = command;
  error_.store(0, std::memory_order_relaxed);
  if (!runtime::is_harmless({__NR_clone, {kFlags}}) ||
      !runtime::is_harmless({__NR_clone, {kWatcherFlags}}) || !build_environment(environment)) {
    return false;
  }
  __atomic_store_n(ends_, 0, __ATOMIC_RELAXED);
  return walker_.start(watch, this, directory);
}

void LimitCommand::end_watch() {
  if (!is_running()) {
    return;
  }
  __atomic_store_n(ends_, 1, __ATOMIC_RELAXED);
  raw_syscall(__NR_futex, as_argument(ends_), FUTEX_WAKE, 1);
  const timespec time{0, 1000000};
  for (unsigned naps = 0; naps < kMostNapsBeforeExec && is_running(); ++naps) {
    raw_syscall(__NR_nanosleep, as_argument(&time), 0);
  }
}

// The page is the parent's, too.
void LimitCommand::forget() {
  walker_.forget();
  watcher_.forget();
  if (ends_ != nullptr) {
    raw_syscall(__NR_munmap, as_argument(ends_), runtime::kPageBytes);
    ends_ = nullptr;
  }
}

// ---- the task that makes the watcher ------------------------------------------------------------

bool LimitCommand::is_to_end() const {
  return __atomic_load_n(ends_, __ATOMIC_RELAXED) != 0;
}

void LimitCommand::nap() const {
  const timespec time{0, kNapNs};
  raw_syscall(__NR_futex, as_argument(ends_), FUTEX_WAIT, 0, as_argument(&time));
}

void LimitCommand::watch(void* self, int directory) {
  auto* command = static_cast<LimitCommand*>(self);
  if (directory == -1) {  // its descriptors are the program's
    return command->log("cannot be run: fchdir or close_range failed", 0, false);
  }
  command->await_snapshot();
  if (command->is_to_end()) {
    return command->log("not started: the process becomes another program", 0, false);
  }
  command->make_watcher();
}

void LimitCommand::await_snapshot() {
  const auto is_settled = [this] {
    return static_cast<std::int32_t>(event_.settles->load(std::memory_order_acquire) -
                                     event_.settles_at) >= 0;
  };
  while (!is_settled() && !event_.has_ended->load(std::memory_order_relaxed) && !is_to_end()) {
    nap();
  }
  if (event_.failed->load(std::memory_order_relaxed) == event_.settles_at) {
    variables_[kSnapshotVariable].clear();
    variables_[kSnapshotVariable].add(kSnapshotIs);
  }
}

// As a fork does it, and with what that costs: the tables of pages are copied.
void LimitCommand::make_watcher() {
  const long pid = raw_syscall(__NR_clone, kWatcherFlags, 0, as_argument(watcher_.place_of_id()));
  if (pid < 0) {
    return log("not started: error ", static_cast<std::uint64_t>(-pid), true);
  }
  if (pid == 0) {
    run_watcher();
    while (true) {
      raw_syscall(__NR_exit, 0);
    }
  }
}

// ---- the watcher --------------------------------------------------------------------------------

void LimitCommand::run_watcher() {
  raw_syscall(__NR_prctl, PR_SET_NAME, as_argument("seep-limit"));
  const long pid = start_command();
  if (pid < 0) {
    return log("not started: error ", static_cast<std::uint64_t>(-pid), true);
  }
  give_memory_back();
  await_command(pid);
}

// What the program writes meanwhile would be there twice.
void LimitCommand::give_memory_back() const {
  constexpr std::string_view kNamed = "[anon:";
  char buffer[stack::kMapsBufferBytes];
  stack::MapsReader reader(buffer);
  stack::MapsLine line;
  const Area stack{walker_.stack_begin(), walker_.stack_end()};
  while (reader.next(line)) {
    const Area area{line.begin, line.end};
    const bool is_program_s =
        line.inode == 0 && !line.shared && line.end - line.begin >= kLeastGivenBack &&
        (line.path.empty() || line.path == "[heap]" || line.path == "[stack]" ||
         line.path.substr(0, kNamed.size()) == kNamed);
    if (is_program_s && !(meets(area, stack) && meets(area, own_image()))) {
      unmap_but(area, meets(area, stack) ? stack : own_image());
    }
  }
}

// Its process id or the error. A program that ignores SIGCHLD would leave nothing to wait for.
long LimitCommand::start_command() {
  set_default(SIGCHLD);
  const long pid = runtime::clone_and_run(kFlags, static_cast<char*>(stack_) + kStackBytes, nullptr,
                                          become_command, this);
  const int error = error_.load(std::memory_order_relaxed);
  if (pid > 0 && error != 0) {
    raw_syscall(__NR_wait4, pid, 0, __WALL, 0);
  }
  return error != 0 ? -error : pid;
}

// In the command's process, which shares the memory until it is another program.
void LimitCommand::become_command(void* self) {
  auto* command = static_cast<LimitCommand*>(self);
  for (int signal = 1; signal <= kSignals; ++signal) {
    set_default(signal);
  }
  raw_syscall(__NR_setsid);
  open_standard_streams();
  constexpr std::uint64_t kNone = 0;
  raw_syscall(__NR_rt_sigprocmask, SIG_SETMASK, as_argument(&kNone), 0, sizeof(kNone));
  const char* const arguments[] = {kShell, "-c", command->command_, nullptr};
  const long result = raw_syscall(__NR_execve, as_argument(kShell), as_argument(arguments),
                                  as_argument(command->environment_));
  command->error_.store(static_cast<int>(-result), std::memory_order_relaxed);
}

// Nobody waits for the end of what is left behind.
void LimitCommand::await_command(long pid) const {
  int status = 0;
  long result = 0;
  while ((result = raw_syscall(__NR_wait4, pid, as_argument(&status), WNOHANG | __WALL, 0)) == 0) {
    if (is_to_end()) {
      return log("was running when the process became another program", 0, false);
    }
    if (raw_syscall(__NR_getppid) != static_cast<long>(event_.pid)) {
      return log("was running when the process ended", 0, false);
    }
    nap();
  }
  if (result != pid) {
    return log("its end cannot be seen: error ", static_cast<std::uint64_t>(-result), true);
  }
  if (WIFSIGNALED(status)) {
    return log("ended by signal ", static_cast<std::uint64_t>(WTERMSIG(status)), true);
  }
  log("ended with status ", static_cast<std::uint64_t>(WEXITSTATUS(status)), true);
}

void LimitCommand::log(std::string_view what, std::uint64_t number, bool has_number) const {
  runtime::Text<128> line;
  line.add("SEEP_ON_LIMIT, ").add(kLimitNames[static_cast<unsigned>(event_.which)]).add(" limit: ");
  line.add(what);
  if (has_number) {
    line.add_decimal(number);
  }
  append_log_line(event_.log, line.view());
}

}  // namespace seep::agent
