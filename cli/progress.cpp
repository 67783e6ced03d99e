#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace seep::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kQuietFor{1};
constexpr std::chrono::milliseconds kRefresh{200};
constexpr char kWipeLine[] = "\r\033[K";

}  // namespace

Progress::Progress(Kind kind) {
  if (kind == Kind::kShown && isatty(STDERR_FILENO) == 1) {
    thread_ = std::thread([this] { show_until_stopped(); });
  }
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Progress::say(const std::string& what, std::size_t done, std::size_t all) {
  const std::lock_guard lock(mutex_);
  line_ = all == 0 ? what : fmt::format("{} {} of {}", what, done, all);
}

void Progress::show_until_stopped() {
  const Clock::time_point start = Clock::now();
  std::unique_lock lock(mutex_);
  if (wake_.wait_for(lock, kQuietFor, [this] { return stop_; })) {
    return;
  }
  do {
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start);
    fmt::print(stderr, "{}seep: {}, {} s", kWipeLine, line_, elapsed.count());
    std::fflush(stderr);
  } while (!wake_.wait_for(lock, kRefresh, [this] { return stop_; }));
  fmt::print(stderr, "{}", kWipeLine);
  std::fflush(stderr);
}

}  // namespace seep::cli
