#include "preload/agent/identity.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"

namespace seep::agent {
namespace {

using runtime::raw_syscall;

// "NSpid:  outermost … innermost" of /proc/self/status.
std::uint32_t read_host_pid() {
  char text[4096];
  const long size = runtime::read_file(AT_FDCWD, "/proc/self/status", text, sizeof(text));
  const std::string_view status(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t at = status.find("\nNSpid:");
  if (at == std::string_view::npos) {
    return 0;
  }
  std::string_view value = status.substr(at + 7);
  runtime::skip_blanks(value);
  std::uint64_t pid = 0;
  return runtime::take_number(value, 10, pid) ? static_cast<std::uint32_t>(pid) : 0;
}

void read_exe(Identity& identity) {
  char path[4096];
  const long size = raw_syscall(__NR_readlink, runtime::as_argument("/proc/self/exe"),
                                runtime::as_argument(path), sizeof(path));
  identity.exe.clear();
  identity.exe.add({path, size > 0 ? static_cast<std::size_t>(size) : 0});
  const auto* started_as = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  std::string_view name = runtime::view_of(started_as);
  if (name.empty() || name.substr(0, 8) == "/dev/fd/" || name.substr(0, 6) == "/proc/") {
    name = identity.exe.view();
  }
  name.remove_prefix(name.rfind('/') + 1);
  identity.name.clear();
  for (const char c : name.empty() ? std::string_view("program") : name) {
    identity.name.add_char(c > ' ' && c < 127 ? c : '_');
  }
}

void read_command(Identity& identity) {
  char text[8192];
  const long size = runtime::read_file(AT_FDCWD, "/proc/self/cmdline", text, sizeof(text));
  identity.command.clear();
  identity.command.add({text, size > 0 ? static_cast<std::size_t>(size) : 0});
}

std::uint64_t unix_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

std::uint32_t current_pid() {
  return static_cast<std::uint32_t>(raw_syscall(__NR_getpid));
}

std::uint32_t current_uid() {
  return static_cast<std::uint32_t>(raw_syscall(__NR_geteuid));
}

// The second field may hold any byte: fields are counted from its last ')'.
std::uint64_t start_ticks_at(const char* stat_path) {
  char text[1024];
  const long size = runtime::read_file(AT_FDCWD, stat_path, text, sizeof(text));
  std::string_view fields(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t name_end = fields.rfind(')');
  if (name_end == std::string_view::npos) {
    return 0;
  }
  fields.remove_prefix(name_end + 1);
  for (unsigned field = 3; field <= 22; ++field) {  // the text begins with the blank before field 3
    const std::size_t space = fields.find(' ');
    if (space == std::string_view::npos) {
      return 0;
    }
    fields.remove_prefix(space + 1);
  }
  std::uint64_t ticks = 0;
  return runtime::take_number(fields, 10, ticks) ? ticks : 0;
}

std::uint64_t pid_namespace() {
  struct stat status;
  return raw_syscall(__NR_newfstatat, AT_FDCWD, runtime::as_argument("/proc/self/ns/pid"),
                     runtime::as_argument(&status), 0) == 0
             ? status.st_ino
             : 0;
}

void identify_process(Identity& identity) {
  identity.pid = current_pid();
  identity.parent_pid = static_cast<std::uint32_t>(raw_syscall(__NR_getppid));
  identity.uid = current_uid();
  identity.host_pid = read_host_pid();
  identity.start_ticks = start_ticks_at("/proc/self/stat");
  identity.started_unix_ns = unix_ns();
  utsname names;
  identity.host.clear();
  if (raw_syscall(__NR_uname, runtime::as_argument(&names)) == 0) {
    identity.host.add(runtime::view_of(names.nodename));
  }
  read_exe(identity);
  read_command(identity);
}

void identify_run(std::string_view run_variable, Identity& identity) {
  std::uint64_t root_pid = 0;
  if (runtime::take_number(run_variable, 16, identity.run_id) && !run_variable.empty() &&
      run_variable.front() == '.') {
    run_variable.remove_prefix(1);
    if (runtime::take_number(run_variable, 10, root_pid)) {
      identity.started_directly = root_pid == identity.pid;
      return;
    }
  }
  identity.run_id = identity.started_unix_ns ^ std::uint64_t{identity.pid} << 48;
  identity.started_directly = true;
}

}  // namespace seep::agent
