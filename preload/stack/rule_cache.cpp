#include "preload/stack/rule_cache.h"

#include "preload/stack/capture_counts.h"

namespace seep::stack {

constinit std::atomic<std::uint64_t> g_rule_slots[std::size_t{1} << kSlotBits];
constinit RuleRow g_rule_rows[kRowCount]{};
constinit std::atomic<std::uint64_t> g_capture_counts[format::kCaptureCountCount] = {};

namespace {

constexpr unsigned kMaxProbes = 64;

std::uint32_t home_of(std::uint64_t rule, std::uint64_t frame_base) {
  std::uint64_t hash = (rule ^ frame_base) * 0x9e3779b97f4a7c15;
  hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
  return static_cast<std::uint32_t>(hash >> 40);
}

bool holds(const RuleRow& row, std::uint64_t rule, const Load& load) {
  return row.rule.load(std::memory_order_relaxed) == rule &&
         row.ready.load(std::memory_order_acquire) && row.load == &load;
}

// Finds or adds a row; its index, or 0 when there is no room near its home. A row that another
// thread has claimed and not yet filled is passed by: at worst the rule gets a second row.
std::uint32_t intern_row(std::uint64_t rule, const Load& load) {
  const std::uint64_t frame_base = load.frame_base();
  const std::uint32_t home = home_of(rule, frame_base);
  for (unsigned probe = 0; probe < kMaxProbes; ++probe) {
    const std::uint32_t index = (home + probe) % kRowCount;
    RuleRow& row = g_rule_rows[index];
    std::uint64_t expected = 0;
    if (index == 0 || holds(row, rule, load)) {
      if (index != 0) {
        return index;
      }
      continue;
    }
    // Relaxed: `ready` publishes the row.
    if (row.rule.compare_exchange_strong(expected, rule, std::memory_order_relaxed)) {
      row.frame_base = frame_base;
      row.load = &load;
      row.ready.store(true, std::memory_order_release);
      return index;
    }
  }
  return 0;
}

}  // namespace

void remember_rule(std::uint64_t pc, const Load& load, CompactRule rule) {
  const std::uint32_t index = intern_row(std::bit_cast<std::uint64_t>(rule), load);
  if (index == 0) {
    count(format::CaptureCount::rules_not_kept);
    return;
  }
  std::atomic<std::uint64_t>& home = g_rule_slots[home_slot(pc)];
  std::atomic<std::uint64_t>& neighbour = g_rule_slots[neighbour_of(home_slot(pc))];
  // Acquire and release: each word passes on the row that its writer published to find_row_in.
  const std::uint64_t old = home.load(std::memory_order_acquire);
  if (old != 0 && old >> kRowIndexBits != pc) {
    neighbour.store(old, std::memory_order_release);
  }
  home.store(pc << kRowIndexBits | index, std::memory_order_release);
}

void count_miss(std::uint64_t pc) {
  const std::uint64_t home = home_slot(pc);
  const std::uint64_t in_home = g_rule_slots[home].load(std::memory_order_relaxed);
  const std::uint64_t beside = g_rule_slots[neighbour_of(home)].load(std::memory_order_relaxed);
  if (in_home >> kRowIndexBits == pc || beside >> kRowIndexBits == pc) {
    count(format::CaptureCount::rules_unmapped);
  } else if (in_home == 0) {
    count(format::CaptureCount::rules_read);
  } else {
    count(format::CaptureCount::rules_replaced);
  }
}

}  // namespace seep::stack
