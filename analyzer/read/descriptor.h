// A file descriptor that is closed at the end of its scope.
#pragma once

#include <unistd.h>

namespace seep::read {

class Descriptor {
 public:
  // Takes `fd`, which may be negative: what open() returned.
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace seep::read
