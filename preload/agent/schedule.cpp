#include "preload/agent/schedule.h"

#include <initializer_list>

namespace seep::agent {

void Schedule::configure(KeptSnapshot* entries, std::size_t keep, bool is_auto,
                         std::uint64_t interval_ms) {
  entries_ = entries;
  keep_ = keep < kMostKept ? keep : kMostKept;
  count_ = 0;
  auto_ = is_auto;
  interval_ms_ = is_auto ? kFirstIntervalMs : interval_ms;
  next_ms_.store(interval_ms_ == 0 ? UINT64_MAX : interval_ms_, std::memory_order_relaxed);
}

// `auto`: so spaced that the latest half of what is kept reaches back over a keep-th part of the
// life, at most a minute apart; and never so dense that the cost passes its share.
void Schedule::plan_next(std::uint64_t now_ms, std::uint64_t cost_ns) {
  if (interval_ms_ == 0) {
    return;
  }
  if (auto_) {
    std::uint64_t interval = now_ms / keep_;
    interval = interval < kFirstIntervalMs ? kFirstIntervalMs : interval;
    interval = interval > kLongestIntervalMs ? kLongestIntervalMs : interval;
    const std::uint64_t affordable = cost_ns * kCostShare / 1000000;
    interval_ms_ = interval < affordable ? affordable : interval;
  }
  next_ms_.store(now_ms + interval_ms_, std::memory_order_relaxed);
}

std::uint32_t Schedule::add(const KeptSnapshot& snapshot) {
  entries_[count_++] = snapshot;
  if (count_ <= keep_) {
    return 0;
  }
  const std::size_t victim = pick_victim();
  const std::uint32_t sequence = entries_[victim].sequence;
  for (std::size_t i = victim; i + 1 < count_; ++i) {
    entries_[i] = entries_[i + 1];
  }
  --count_;
  return sequence;
}

// Among the entries 1 … end - 1, the one whose neighbours are closest together; 0 for none.
std::size_t Schedule::least_missed(std::size_t end, bool any_trigger) const {
  std::size_t victim = 0;
  std::uint64_t smallest = UINT64_MAX;
  for (std::size_t i = 1; i < end; ++i) {
    const std::uint64_t gap = entries_[i + 1].time_ms - entries_[i - 1].time_ms;
    const bool interval =
        entries_[i].trigger == static_cast<std::uint32_t>(format::Trigger::kInterval);
    if ((any_trigger || interval) && gap < smallest) {
      smallest = gap;
      victim = i;
    }
  }
  return victim;
}

// Of the interval snapshots in the older half, the one that is least missed: what stays is even
// over the life. Marks and the like go only when no interval snapshot is left.
std::size_t Schedule::pick_victim() const {
  const std::size_t latest = count_ - keep_ / 2;
  for (const bool any_trigger : {false, true}) {
    for (const std::size_t end : {latest, count_ - 1}) {
      if (const std::size_t victim = least_missed(end, any_trigger); victim != 0) {
        return victim;
      }
    }
  }
  return 0;
}

bool Schedule::later_growth(std::int64_t& milli) const {
  constexpr std::int64_t kMilli = 1000000;  // a byte a millisecond
  if (count_ < 2) {
    return false;
  }
  const KeptSnapshot& last = entries_[count_ - 1];
  std::size_t from = 0;
  while (entries_[from].time_ms < last.time_ms / 2) {
    ++from;
  }
  from -= entries_[from].time_ms == last.time_ms && from != 0 ? 1 : 0;
  const KeptSnapshot& middle = entries_[from];
  if (middle.time_ms >= last.time_ms) {
    return false;
  }
  const auto grown = static_cast<std::int64_t>(last.live_bytes - middle.live_bytes);
  milli = grown * kMilli / static_cast<std::int64_t>(last.time_ms - middle.time_ms);
  return true;
}

}  // namespace seep::agent
