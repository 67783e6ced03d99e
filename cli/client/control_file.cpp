#include "cli/client/control_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace seep::client {

using format::ControlPage;

std::optional<ControlPage> read_control_file(const std::string& path) {
  // Not blocking: whatever is named "control" in a directory may be a pipe.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return std::nullopt;
  }
  ControlPage page;
  const bool whole = pread(fd, &page, sizeof(page), 0) == sizeof(page);
  close(fd);
  const bool known = whole &&
                     std::memcmp(page.magic, format::kControlMagic, sizeof(page.magic)) == 0 &&
                     page.version == format::kControlVersion;
  return known ? std::optional(page) : std::nullopt;
}

const char* name_of(format::AgentState state) {
  switch (state) {
    case format::AgentState::kStarting:
      return "starting";
    case format::AgentState::kRecording:
      return "recording";
    case format::AgentState::kPaused:
      return "paused";
    case format::AgentState::kDisabled:
      return "disabled";
    case format::AgentState::kEnded:
      return "ended";
  }
  return "unknown";
}

SharedControlPage::SharedControlPage(const std::string& path)
    : fd_(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK)) {
  if (fd_ < 0 || lseek(fd_, 0, SEEK_END) < static_cast<off_t>(sizeof(ControlPage))) {
    return;
  }
  void* mapped = mmap(nullptr, sizeof(ControlPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  page_ = mapped == MAP_FAILED ? nullptr : static_cast<ControlPage*>(mapped);
}

SharedControlPage::~SharedControlPage() {
  if (page_ != nullptr) {
    munmap(page_, sizeof(ControlPage));
  }
  if (fd_ >= 0) {
    close(fd_);
  }
}

bool SharedControlPage::try_lock() const {
  return flock(fd_, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace seep::client
