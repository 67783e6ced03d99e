#include "tests/unit/cli/fake_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>

#include "cli/client/proc.h"
#include "tests/support/temporary_directory.h"

namespace seep::test {

using format::ControlPage;

ControlPage own_control_page() {
  ControlPage page{};
  std::memcpy(page.magic, format::kControlMagic, sizeof(page.magic));
  page.version = format::kControlVersion;
  page.page_bytes = sizeof(page);
  page.pid = static_cast<std::uint32_t>(client::innermost_pid(getpid()));
  page.image = 1;
  page.start_ticks = client::start_ticks(getpid()).value_or(0);
  page.run_id = 0x1234;
  page.state = static_cast<std::uint32_t>(format::AgentState::kRecording);
  return page;
}

std::string write_control_file(const std::string& recording, const ControlPage& page) {
  std::string bytes(sizeof(page), '\0');
  std::memcpy(bytes.data(), &page, sizeof(page));
  const std::string path = recording + "/" + format::kControlFileName;
  write_file(path, bytes);
  return path;
}

FakeProcess::FakeProcess(const std::string& recording) {
  const std::string path = write_control_file(recording, own_control_page());
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  page_ = static_cast<ControlPage*>(
      mmap(nullptr, sizeof(ControlPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  close(fd);
}

FakeProcess::~FakeProcess() {
  stop_ = true;
  if (server_.joinable()) {
    server_.join();
  }
  munmap(page_, sizeof(ControlPage));
}

void FakeProcess::serve(format::Answer answer, std::uint32_t snapshot) {
  server_ = std::thread([this, answer, snapshot] {
    while (!stop_) {
      const std::uint32_t asked = __atomic_load_n(&page_->request_sequence, __ATOMIC_ACQUIRE);
      if (asked != page_->answer_sequence) {
        page_->answer = static_cast<std::uint32_t>(answer);
        page_->answer_snapshot = snapshot;
        __atomic_store_n(&page_->answer_sequence, asked, __ATOMIC_RELEASE);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
}

}  // namespace seep::test
