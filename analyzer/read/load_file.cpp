#include "analyzer/read/load_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

#include "analyzer/read/descriptor.h"
#include "format/snapshot_format.h"

namespace seep::read {
namespace {

Error file_error(const std::string& path, std::string what, std::string advice = "") {
  return {.kind = ErrorKind::kBadInput,
          .file = path,
          .offset = std::nullopt,
          .section = "",
          .what = std::move(what),
          .advice = std::move(advice)};
}

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

// Reads until `size` bytes are there or the file ends; -1 with errno on an error.
ssize_t read_whole(int fd, unsigned char* data, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(fd, data + done, std::min<std::size_t>(size - done, std::size_t{1} << 30),
                static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return -1;
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

std::optional<Error> check_kind(const std::string& path, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) {
    return file_error(path, "is a directory, not a snapshot file");
  }
  if (!S_ISREG(status.st_mode)) {
    return file_error(path, "is not a regular file");
  }
  if (status.st_size == 0) {
    return file_error(path, "the file is empty", "copy it again, or leave it out");
  }
  return std::nullopt;
}

// A file shorter than the magic passes when it could be the beginning of a snapshot.
std::optional<Error> check_magic(const std::string& path, int fd) {
  unsigned char start[sizeof(format::kMagic)];
  const ssize_t got = read_whole(fd, start, sizeof(start));
  if (got < 0) {
    return file_error(path, "cannot be read: " + reason(errno));
  }
  if (std::memcmp(start, format::kMagic, static_cast<std::size_t>(got)) != 0) {
    return file_error(path, "is not a seep snapshot", "give a snapshot-*.seep file");
  }
  return std::nullopt;
}

Result<LoadedFile> read_content(const std::string& path, int fd, std::size_t size) {
  std::unique_ptr<unsigned char[]> data(new (std::nothrow) unsigned char[size]);
  if (data == nullptr) {
    return file_error(path, "does not fit into memory: " + std::to_string(size) + " bytes");
  }
  const ssize_t got = read_whole(fd, data.get(), size);
  if (got < 0) {
    return file_error(path, "cannot be read: " + reason(errno));
  }
  return LoadedFile(std::move(data), static_cast<std::size_t>(got));
}

}  // namespace

Result<LoadedFile> load_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not wait.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    return file_error(path, "cannot be opened: " + reason(errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    return file_error(path, "cannot be read: " + reason(errno));
  }
  if (auto error = check_kind(path, status)) {
    return *error;
  }
  if (auto error = check_magic(path, file.get())) {
    return *error;
  }
  return read_content(path, file.get(), static_cast<std::size_t>(status.st_size));
}

}  // namespace seep::read
