// Plays the tracked process in this very process: maps a control page as libseep.so does, so that
// clients find it under this PID, and answers requests when told to.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "format/control_page.h"

namespace seep::test {

// A page that names this process as its owner.
format::ControlPage own_control_page();

// Writes a recording directory with such a page; returns the page's path.
std::string write_control_file(const std::string& recording, const format::ControlPage& page);

class FakeProcess {
 public:
  // Makes the directory `recording` with a control page and maps it.
  explicit FakeProcess(const std::string& recording);
  ~FakeProcess();
  FakeProcess(const FakeProcess&) = delete;
  FakeProcess& operator=(const FakeProcess&) = delete;

  [[nodiscard]] format::ControlPage& page() { return *page_; }

  // From now on a thread serves each request with this answer and snapshot number.
  void serve(format::Answer answer, std::uint32_t snapshot);

 private:
  format::ControlPage* page_ = nullptr;
  std::atomic<bool> stop_{false};
  std::thread server_;
};

}  // namespace seep::test
