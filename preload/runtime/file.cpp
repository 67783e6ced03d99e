#include "preload/runtime/file.h"

#include <errno.h>
#include <fcntl.h>

#include "preload/runtime/syscall.h"

namespace seep::runtime {

namespace {

constexpr int kStandardStreams = 3;

bool is_free(int number) {
  return raw_syscall(__NR_fcntl, number, F_GETFD) == -EBADF;
}

// The program may have closed its standard streams and write to them nevertheless, in any thread.
// While an object lives, what it could reach there lets it neither read nor write (O_PATH).
class StandardStreamsHeld {
 public:
  StandardStreamsHeld() {
    for (int number = 0; number < kStandardStreams; ++number) {
      if (is_free(number)) {
        hold();
      }
    }
  }
  ~StandardStreamsHeld() {
    while (count_ > 0) {
      close_file(held_[--count_]);
    }
  }
  StandardStreamsHeld(const StandardStreamsHeld&) = delete;
  StandardStreamsHeld& operator=(const StandardStreamsHeld&) = delete;

 private:
  void hold() {
    const long fd = raw_syscall(__NR_openat, AT_FDCWD, as_argument("/"), O_PATH | O_CLOEXEC);
    if (fd >= 0) {
      held_[count_++] = static_cast<int>(fd);
    }
  }

  int held_[kStandardStreams] = {};
  int count_ = 0;
};

}  // namespace

int open_file(int directory, const char* path, int flags, unsigned mode) {
  const StandardStreamsHeld held;
  long result;
  do {
    result = raw_syscall(__NR_openat, directory, as_argument(path), flags | O_CLOEXEC,
                         static_cast<long>(mode));
  } while (result == -EINTR);
  return static_cast<int>(result);
}

void close_file(int fd) {
  raw_syscall(__NR_close, fd);
}

int write_all(int fd, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size != 0) {
    const long written = raw_syscall(__NR_write, fd, as_argument(bytes), static_cast<long>(size));
    if (written == -EINTR) {
      continue;
    }
    if (written <= 0) {
      return written == 0 ? -EIO : static_cast<int>(written);
    }
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

long read_all(int fd, void* data, std::size_t size) {
  auto* bytes = static_cast<char*>(data);
  std::size_t done = 0;
  while (done < size) {
    const long got =
        raw_syscall(__NR_read, fd, as_argument(bytes + done), static_cast<long>(size - done));
    if (got == -EINTR) {
      continue;
    }
    if (got < 0) {
      return got;
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return static_cast<long>(done);
}

long read_file(int directory, const char* path, void* data, std::size_t capacity) {
  const int fd = open_file(directory, path, O_RDONLY);
  if (fd < 0) {
    return fd;
  }
  const long result = read_all(fd, data, capacity);
  close_file(fd);
  return result;
}

namespace {

constexpr std::uintptr_t kPageMask = 4095;

// The kernel reads the word before it refuses the unknown way of changing the signal mask. It takes
// a null for "no mask", so the first page, which is never mapped, is left out.
bool word_is_readable(std::uintptr_t address) {
  constexpr long kNoSuchWay = -1;
  const std::uintptr_t word = address & ~std::uintptr_t{7};
  return address > kPageMask &&
         raw_syscall(__NR_rt_sigprocmask, kNoSuchWay, static_cast<long>(word), 0, 8) == -EINVAL;
}

bool pages_are_readable(std::uintptr_t begin, std::uintptr_t end) {
  for (std::uintptr_t at = begin; at < end; at = (at & ~kPageMask) + kPageMask + 1) {
    if (!word_is_readable(at)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool read_own_memory(const void* from, void* to, std::size_t size) {
  const iovec piece{const_cast<void*>(from), size};
  return read_own_pieces(&piece, 1, to);
}

bool read_own_pieces(const iovec* pieces, std::size_t count, void* to) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    size += pieces[i].iov_len;
  }
  const iovec local{to, size};
  const long self = raw_syscall(__NR_getpid);
  const long result = raw_syscall(__NR_process_vm_readv, self, as_argument(&local), 1,
                                  as_argument(pieces), static_cast<long>(count), 0);
  if (result != -EPERM && result != -ENOSYS) {
    return result == static_cast<long>(size);
  }
  // A system call filter forbids it (systemd's SystemCallFilter=@system-service does so).
  auto* out = static_cast<char*>(to);
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = reinterpret_cast<std::uintptr_t>(pieces[i].iov_base);
    if (!pages_are_readable(begin, begin + pieces[i].iov_len)) {
      return false;
    }
    __builtin_memcpy(out, pieces[i].iov_base, pieces[i].iov_len);
    out += pieces[i].iov_len;
  }
  return true;
}

}  // namespace seep::runtime
