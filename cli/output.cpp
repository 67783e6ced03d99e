#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace seep::cli {
namespace {

Error cannot_write(const std::string& file, int error) {
  return Error{ErrorKind::kBadInput,
               file,
               {},
               {},
               fmt::format("cannot be written ({})", std::strerror(error)),
               "name a file in a directory that you may write to"};
}

Error exists(const std::string& file) {
  return Error{ErrorKind::kUsage,
               file,
               {},
               {},
               "exists already and is kept",
               "give another name, or --force to overwrite it"};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
  return true;
}

using Produce = std::function<void(const Write&)>;

// Whether all pieces were written; errno is that of the first that was not.
bool write_all(int fd, const Produce& produce) {
  int error = 0;
  produce([&](std::string_view piece) {
    if (error == 0 && !write_all(fd, piece)) {
      error = errno;
    }
  });
  errno = error;
  return error == 0;
}

// link(2) refuses to replace, rename(2) replaces: both show the whole file or none. Where a file
// system has no links, renameat2(2) refuses as well.
int publish(const std::string& temporary, const std::string& target, bool force) {
  if (force) {
    return rename(temporary.c_str(), target.c_str());
  }
  const int linked = link(temporary.c_str(), target.c_str());
  return linked == 0 || (errno != EPERM && errno != EOPNOTSUPP)
             ? linked
             : renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
}

// /dev/stderr, /dev/null, a pipe. What a descriptor of ours is open for is written to, not
// replaced.
bool is_special(const std::string& file) {
  for (const char* ours : {"/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/"}) {
    if (file.starts_with(ours)) {
      return true;
    }
  }
  struct stat status {};
  return stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

// A link that is to be overwritten stays, and leads to the new file.
std::string target_of(const Destination& destination) {
  std::error_code error;
  const auto target = std::filesystem::canonical(destination.file, error);
  return destination.force && !error ? target.string() : destination.file;
}

// Those of the file that is replaced, else what every new file has.
mode_t permissions_of(const std::string& target) {
  struct stat old {};
  if (stat(target.c_str(), &old) == 0) {
    return old.st_mode & 0777;
  }
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

std::optional<Error> write_special(const std::string& file, const Produce& produce) {
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC | O_APPEND);
  const bool done = fd >= 0 && write_all(fd, produce);
  const int error = errno;
  close(fd);
  return done ? std::nullopt : std::optional(cannot_write(file, error));
}

std::optional<Error> write_file(const Destination& destination, const Produce& produce) {
  const std::string target = target_of(destination);
  std::string temporary = target + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) {
    return cannot_write(destination.file, errno);
  }
  fchmod(fd, permissions_of(target));  // mkostemp gives 0600
  const bool wrote = write_all(fd, produce);
  const bool done = close(fd) == 0 && wrote && publish(temporary, target, destination.force) == 0;
  const int error = errno;
  unlink(temporary.c_str());  // after rename there is none
  if (done) {
    return std::nullopt;
  }
  return error == EEXIST ? exists(destination.file) : cannot_write(destination.file, error);
}

std::optional<Error> write_stdout(const Produce& produce) {
  std::fflush(stdout);
  return write_all(STDOUT_FILENO, produce) ? std::nullopt
                                           : std::optional(cannot_write("standard output", errno));
}

}  // namespace

int fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.message());
  return static_cast<int>(error.kind);
}

std::optional<Error> why_not_writable(const Destination& destination) {
  struct stat status {};
  if (destination.file.empty()) {
    return std::nullopt;
  }
  if (stat(destination.file.c_str(), &status) != 0) {
    const std::string folder = std::filesystem::path(destination.file).parent_path().string();
    return folder.empty() || stat(folder.c_str(), &status) == 0
               ? std::nullopt
               : std::optional(cannot_write(destination.file, errno));
  }
  if (S_ISDIR(status.st_mode)) {
    return cannot_write(destination.file, EISDIR);
  }
  return destination.force || is_special(destination.file)
             ? std::nullopt
             : std::optional(exists(destination.file));
}

std::optional<Error> write_pieces(const Destination& destination, const Produce& produce) {
  if (destination.file.empty()) {
    return write_stdout(produce);
  }
  return is_special(destination.file) ? write_special(destination.file, produce)
                                      : write_file(destination, produce);
}

std::optional<Error> write_text(const Destination& destination, const std::string& text) {
  return write_pieces(destination, [&](const Write& write) { write(text); });
}

std::optional<Error> copy_file(const std::string& source, const Destination& destination) {
  std::ifstream file(source, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || bytes.empty()) {
    return Error{
        ErrorKind::kBadInput, source, {}, {}, "cannot be read", "run this as its owner or as root"};
  }
  return write_text(destination, bytes);
}

}  // namespace seep::cli
