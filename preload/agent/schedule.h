// When periodic snapshots are taken, and which of them are kept. Pure: times in, decisions out.
// Context: IN-AGENT. One thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "format/snapshot_format.h"

namespace seep::agent {

struct KeptSnapshot {
  std::uint32_t sequence;
  std::uint32_t trigger;  // format::Trigger
  std::uint64_t time_ms;
  std::uint64_t live_bytes;
};

class Schedule {
 public:
  static constexpr std::size_t kMostKept = 4096;
  static constexpr std::uint64_t kFirstIntervalMs = 50;
  static constexpr std::uint64_t kLongestIntervalMs = 60000;
  // A snapshot may cost one part in this many of the time: 0.2 %.
  static constexpr std::uint64_t kCostShare = 500;

  // `entries` has room for `keep` + 1 snapshots. `interval_ms` 0 with !is_auto: never due.
  void configure(KeptSnapshot* entries, std::size_t keep, bool is_auto, std::uint64_t interval_ms);

  // Any thread.
  [[nodiscard]] bool due(std::uint64_t now_ms) const {
    return now_ms >= next_ms_.load(std::memory_order_relaxed);
  }
  // Sets the time of the next one, after one at `now_ms` that took `cost_ns` of a thread.
  void plan_next(std::uint64_t now_ms, std::uint64_t cost_ns);

  // Notes a snapshot that was written. Returns the sequence number of one to delete now, or 0.
  std::uint32_t add(const KeptSnapshot& snapshot);

  [[nodiscard]] std::size_t kept() const { return count_; }
  // How fast what is alive has grown, in thousandths of a byte a second: from the snapshot in the
  // middle of the time to the last one. False where there is no time between them.
  [[nodiscard]] bool later_growth(std::int64_t& milli) const;

 private:
  [[nodiscard]] std::size_t least_missed(std::size_t end, bool any_trigger) const;
  [[nodiscard]] std::size_t pick_victim() const;

  KeptSnapshot* entries_ = nullptr;  // ascending in time
  std::size_t count_ = 0;
  std::size_t keep_ = 64;
  bool auto_ = true;
  std::uint64_t interval_ms_ = kFirstIntervalMs;
  std::atomic<std::uint64_t> next_ms_{0};  // relaxed: a thread that reads it late looks again
};

}  // namespace seep::agent
