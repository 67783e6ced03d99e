#include "preload/agent/recording_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/recording_layout.h"
#include "preload/agent/disk_budget.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"

namespace seep::agent {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr int kLowestDescriptor = 800;  // out of the way of programs that count on small numbers
constexpr unsigned kMostImages = 10000;
constexpr std::uint64_t kMostLogBytes = 1 << 20;
constexpr std::uint64_t kMostIndexBytes = 64 << 20;

long make_directory(int at, const char* path, unsigned mode) {
  return raw_syscall(__NR_mkdirat, at, as_argument(path), static_cast<long>(mode));
}

// mkdir -p for the parents; the last component gets `mode`.
int make_path(std::string_view path, unsigned mode) {
  runtime::Path prefix;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/' && i != 0) {
      make_directory(AT_FDCWD, prefix.c_str(), 0777);
    }
    prefix.add_char(path[i]);
  }
  return static_cast<int>(make_directory(AT_FDCWD, prefix.c_str(), mode));
}

bool status_of(int fd, struct stat& status) {
  return raw_syscall(__NR_fstat, fd, as_argument(&status)) == 0;
}

// A file can be made there (permissions and read-only file systems show here) by the user that the
// process acts as. Kernels before 5.8, and filters that do not know the call, can only be asked for
// the user that started it.
bool is_writable(int directory) {
  constexpr long kWriteAndSearch = W_OK | X_OK;
  long result =
      raw_syscall(__NR_faccessat2, directory, as_argument("."), kWriteAndSearch, AT_EACCESS);
  if (result == -ENOSYS || result == -EPERM) {
    result = raw_syscall(__NR_faccessat, directory, as_argument("."), kWriteAndSearch);
  }
  return result == 0;
}

void expand_setting(std::string_view setting, const Identity& identity, runtime::Path& path) {
  for (std::size_t i = 0; i < setting.size(); ++i) {
    const char key = i + 1 < setting.size() ? setting[i + 1] : '\0';
    if (setting[i] != '%' || std::string_view("hpet%").find(key) == std::string_view::npos) {
      path.add_char(setting[i]);
      continue;
    }
    ++i;
    switch (key) {
      case 'h':
        path.add(identity.host.view());
        break;
      case 'p':
        path.add_decimal(identity.pid);
        break;
      case 'e':
        path.add(identity.name.view());
        break;
      case 't':
        path.add_decimal(identity.started_unix_ns / 1000000000);
        break;
      default:
        path.add_char('%');
        break;
    }
  }
}

}  // namespace

runtime::Text<64> snapshot_name(std::uint32_t sequence) {
  runtime::Text<64> name;
  name.add(format::kSnapshotPrefix).add_decimal(sequence, 6).add(format::kSnapshotSuffix);
  return name;
}

runtime::Text<64> scan_name(std::uint32_t sequence) {
  runtime::Text<64> name;
  name.add(format::kScanPrefix).add_decimal(sequence, 6).add(format::kSnapshotSuffix);
  return name;
}

void RecordingDirectory::set_base(std::string_view setting, std::string_view temporary,
                                  const Identity& identity) {
  temporary_.clear();
  temporary_.add(temporary);
  base_.clear();
  if (setting.empty() || setting.front() != '/') {
    char directory[4096];
    const long size = raw_syscall(__NR_getcwd, as_argument(directory), sizeof(directory));
    base_.add(size > 0 && directory[0] == '/' ? runtime::view_of(directory) : "/tmp").add("/");
  }
  while (setting.substr(0, 2) == "./") {
    setting.remove_prefix(2);
  }
  expand_setting(setting, identity, base_);
}

bool RecordingDirectory::open(const Identity& identity) {
  if (is_open()) {
    return true;
  }
  int base = open_base(/*must_be_ours=*/false);
  if (base >= 0) {
    return create_recording(base, identity);
  }
  const runtime::Path wanted = base_;
  base_ = temporary_;
  base = base_.size() == 0 ? -1 : open_base(/*must_be_ours=*/false);
  if (base < 0) {
    base_.clear();
    base_.add(format::kFallbackPrefix).add_decimal(identity.uid);
    base = open_base(/*must_be_ours=*/true);
  }
  if (base < 0) {
    base_ = wanted;
    return false;
  }
  if (!create_recording(base, identity)) {
    return false;
  }
  runtime::Path line;
  log(line.add(wanted.view()).add(" cannot be written: recordings go here").view());
  return true;
}

// A descriptor of the base, or negative. A fall-back lies where anybody may have put something of
// that name.
int RecordingDirectory::open_base(bool must_be_ours) const {
  const bool is_root = current_uid() == 0 && !must_be_ours;
  // Workers that drop root's privileges must be able to record: they may make entries, not list.
  if (make_path(base_.view(), is_root ? 01733 : 0700) == 0 && is_root) {
    raw_syscall(__NR_fchmodat, AT_FDCWD, as_argument(base_.c_str()), 01733);
  }
  // A parent may be a link, as /tmp is on some systems; the last component may be one of the
  // user's.
  const int follow = must_be_ours ? O_NOFOLLOW : 0;
  const int fd = runtime::open_file(AT_FDCWD, base_.c_str(), O_RDONLY | O_DIRECTORY | follow);
  const int unlisted =
      fd == -EACCES ? runtime::open_file(AT_FDCWD, base_.c_str(), O_PATH | O_DIRECTORY | follow)
                    : fd;
  if (unlisted < 0) {
    return -1;
  }
  struct stat status;
  const bool foreign =
      must_be_ours && (!status_of(unlisted, status) || status.st_uid != current_uid() ||
                       (status.st_mode & 022) != 0);
  if (foreign || !is_writable(unlisted)) {
    runtime::close_file(unlisted);
    return -1;
  }
  return unlisted;
}

bool RecordingDirectory::create_recording(int base, const Identity& identity) {
  int fd = -1;
  for (unsigned n = 1; n <= kMostImages && fd < 0; ++n) {
    name_.clear();
    name_.add(identity.name.view()).add(".").add_decimal(identity.pid);
    if (n > 1) {
      name_.add(".").add_decimal(n);
    }
    const long result = make_directory(base, name_.c_str(), 0700);
    if (result == 0) {
      image_ = n;
      fd = runtime::open_file(base, name_.c_str(), kDirectoryFlags);
    } else if (result != -EEXIST) {
      break;
    }
  }
  runtime::close_file(base);
  struct stat status {};
  if (fd < 0) {
    return false;
  }
  status_of(fd, status);  // where it fails, take_descriptor finds nothing to believe
  device_ = status.st_dev;
  inode_ = status.st_ino;
  owner_ = current_uid();
  path_.clear();
  path_.add(base_.view()).add("/").add(name_.view());
  is_open_ = take_descriptor(fd);
  if (is_open_) {
    create_control(identity);
  }
  return is_open_;
}

bool RecordingDirectory::is_the_recording(int fd) const {
  struct stat status;
  return fd >= 0 && status_of(fd, status) && status.st_dev == device_ && status.st_ino == inode_;
}

// The numbers that a program gets are those that it expects, but for the highest. False, and `fd`
// is closed, where something else lies at the path by now.
bool RecordingDirectory::take_descriptor(int fd) {
  rlimit64 limit{};
  raw_syscall(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, as_argument(&limit));
  const bool few = limit.rlim_cur != 0 && limit.rlim_cur <= kLowestDescriptor;
  const long lowest = few ? static_cast<long>(limit.rlim_cur) - 1 : kLowestDescriptor;
  const long moved = raw_syscall(__NR_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
  if (moved >= 0) {
    runtime::close_file(fd);
    fd = static_cast<int>(moved);
  }
  if (!is_the_recording(fd)) {
    runtime::close_file(fd);
    return false;
  }
  directory_ = fd;
  return true;
}

// One that we have may have been closed by the program, and its number used again: then it is the
// program's now, and is not closed here.
int RecordingDirectory::descriptor() {
  if (is_the_recording(directory_)) {
    return directory_;
  }
  directory_ = -1;
  const int fd = is_open_ ? runtime::open_file(AT_FDCWD, path_.c_str(), kDirectoryFlags) : -EBADF;
  return fd >= 0 && take_descriptor(fd) ? directory_ : -1;
}

void RecordingDirectory::release() {
  if (!is_kept_) {
    close_descriptor();
  }
}

void RecordingDirectory::keep() {
  is_kept_ = descriptor() >= 0;
}

void RecordingDirectory::create_control(const Identity& identity) {
  const int fd = runtime::open_file(directory_, format::kControlFileName,
                                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return;
  }
  // Written, not only made as long: a page that finds no room on the disk kills whoever touches it.
  static constexpr format::ControlPage kEmpty{};
  long page = -1;
  if (runtime::write_all(fd, &kEmpty, sizeof(kEmpty)) == 0) {
    page = raw_syscall(__NR_mmap, 0, sizeof(format::ControlPage), PROT_READ | PROT_WRITE,
                       MAP_SHARED, fd, 0);
  }
  runtime::close_file(fd);
  if (runtime::failed(page)) {
    raw_syscall(__NR_unlinkat, directory_, as_argument(format::kControlFileName), 0);
    return;
  }
  auto* control = reinterpret_cast<format::ControlPage*>(page);
  control->version = format::kControlVersion;
  control->page_bytes = sizeof(format::ControlPage);
  control->pid = identity.pid;
  control->image = image_;
  control->start_ticks = identity.start_ticks;
  control->run_id = identity.run_id;
  control->pid_namespace = pid_namespace();
  control->started_unix_ns = identity.started_unix_ns;
  memcpy(control->magic, format::kControlMagic, sizeof(control->magic));
  control_.store(control, std::memory_order_release);
}

void RecordingDirectory::discard() {
  const int directory = descriptor();
  if (directory < 0) {
    return;
  }
  raw_syscall(__NR_unlinkat, directory, as_argument(format::kControlFileName), 0);
  raw_syscall(__NR_unlinkat, AT_FDCWD, as_argument(path_.c_str()), AT_REMOVEDIR);
  leave();
}

void RecordingDirectory::forget() {
  if (control() != nullptr) {
    raw_syscall(__NR_munmap, as_argument(control()), sizeof(format::ControlPage));
    control_.store(nullptr, std::memory_order_relaxed);
  }
  close();
}

bool RecordingDirectory::is_of_this_user() const {
  return owner_ == current_uid();
}

// Who is reading the page finds it empty; its file is mapped no more, by which `seep status` would
// take it for the one that is in use.
void RecordingDirectory::leave() {
  format::ControlPage* page = control_.exchange(nullptr, std::memory_order_relaxed);
  if (page != nullptr) {
    raw_syscall(__NR_mmap, as_argument(page), sizeof(*page), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  close();
}

// The number may be the program's by now.
void RecordingDirectory::close_descriptor() {
  if (is_the_recording(directory_)) {
    runtime::close_file(directory_);
  }
  directory_ = -1;
}

void RecordingDirectory::close() {
  close_descriptor();
  is_open_ = false;
  is_kept_ = false;
  name_.clear();
}

void remove_snapshot(int directory, std::uint32_t sequence) {
  raw_syscall(__NR_unlinkat, directory, as_argument(snapshot_name(sequence).c_str()), 0);
  raw_syscall(__NR_unlinkat, directory, as_argument(scan_name(sequence).c_str()), 0);
}

namespace {

// Others may write SEEP_DIR where root made it: what they put in place of the file is left alone, a
// FIFO without waiting for its reader.
void append(const runtime::Path& path, std::string_view line, std::uint64_t most_bytes) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const int fd = runtime::open_file(AT_FDCWD, path.c_str(), kFlags, 0600);
  if (fd < 0) {
    return;
  }
  struct stat status;
  if (status_of(fd, status) && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
      static_cast<std::uint64_t>(status.st_size) < most_bytes) {
    runtime::write_all(fd, line.data(), line.size());  // one write: lines of others do not mix in
  }
  runtime::close_file(fd);
}

}  // namespace

void append_log_line(const LogPlace& place, std::string_view line) {
  runtime::Path text;
  text.add(place.name.view()).add(": ").add(line).add("\n");
  append(place.file, text.view(), kMostLogBytes);
}

void RecordingDirectory::append_index(std::string_view line) const {
  runtime::Path path;
  append(path.add(base_.view()).add("/").add(format::kIndexFileName), line, kMostIndexBytes);
}

LogPlace RecordingDirectory::log_place() const {
  LogPlace place;
  place.file.add(base_.view()).add("/").add(format::kLogFileName);
  place.name.add(name_.size() != 0 ? name_.view() : "seep");
  return place;
}

void RecordingDirectory::log(std::string_view line) const {
  append_log_line(log_place(), line);
}

unsigned RecordingDirectory::enforce_budget(std::uint64_t budget_bytes) {
  return agent::enforce_budget(base_.c_str(), name_.view(), budget_bytes);
}

}  // namespace seep::agent
