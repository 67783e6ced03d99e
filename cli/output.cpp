#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

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

bool write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(fd, text.data() + done, text.size() - done);
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    done += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  }
  return true;
}

// link(2) refuses to replace, rename(2) replaces: both show the whole file or none.
int publish(const std::string& temporary, const Destination& destination) {
  const char* target = destination.file.c_str();
  return destination.force ? rename(temporary.c_str(), target) : link(temporary.c_str(), target);
}

bool is_special(const std::string& file) {  // /dev/stderr, /dev/null, a pipe
  struct stat status {};
  return stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

std::optional<Error> write_special(const std::string& file, const std::string& text) {
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC | O_APPEND);
  const bool done = fd >= 0 && write_all(fd, text);
  const int error = errno;
  close(fd);
  return done ? std::nullopt : std::optional(cannot_write(file, error));
}

std::optional<Error> write_file(const Destination& destination, const std::string& text) {
  std::string temporary = destination.file + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) {
    return cannot_write(destination.file, errno);
  }
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(fd, 0666 & ~mask);  // mkostemp gives 0600
  const bool wrote = write_all(fd, text);
  const bool done = close(fd) == 0 && wrote && publish(temporary, destination) == 0;
  const int error = errno;
  unlink(temporary.c_str());  // after rename there is none
  if (done) {
    return std::nullopt;
  }
  return error == EEXIST ? exists(destination.file) : cannot_write(destination.file, error);
}

std::optional<Error> write_stdout(const std::string& text) {
  const bool done =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return done ? std::nullopt : std::optional(cannot_write("standard output", errno));
}

}  // namespace

int fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.message());
  return static_cast<int>(error.kind);
}

std::optional<Error> why_not_writable(const Destination& destination) {
  struct stat status {};
  if (destination.file.empty() || stat(destination.file.c_str(), &status) != 0) {
    return std::nullopt;
  }
  if (S_ISDIR(status.st_mode)) {
    return cannot_write(destination.file, EISDIR);
  }
  return destination.force || is_special(destination.file)
             ? std::nullopt
             : std::optional(exists(destination.file));
}

std::optional<Error> write_text(const Destination& destination, const std::string& text) {
  if (destination.file.empty()) {
    return write_stdout(text);
  }
  return is_special(destination.file) ? write_special(destination.file, text)
                                      : write_file(destination, text);
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
