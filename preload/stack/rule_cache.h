// The rules of the addresses that walks have met, so that a warm step does not look at unwind
// tables. Context: IN-HOOK, any thread, signal handlers too. Lock-free, fixed size, never freed.
//
//   slots: one word for each address, in its home or in the neighbour that shares the cache line
//     63 … 17  the address          16 … 0  index of its row; 0: empty
//     A new address takes its home, what was there moves to the neighbour, what was there is
//     dropped.
//   rows:  each different (load, rule) once, immutable once they are ready
//
// A slot is a single word and a row never changes, so no reader can see half of an entry. A row of
// a load that is not mapped any more counts as absent, and is good again when the same file is
// mapped at the same place again: rules follow from the file and the place alone.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "preload/stack/modules.h"
#include "preload/stack/unwind_rule.h"

namespace seep::stack {

struct RuleRow {
  std::atomic<std::uint64_t> rule;  // a CompactRule; 0: free. Claimed by CAS, then never changed
  std::uint64_t frame_base;         // Load::frame_base()
  const Load* load;
  std::atomic<bool> ready;  // release after the fields above, acquire before they are read
};
static_assert(sizeof(RuleRow) == 32);

inline constexpr unsigned kSlotBits = 16;
inline constexpr unsigned kRowIndexBits = 17;
inline constexpr std::uint32_t kRowCount = 16384;
inline constexpr std::uint64_t kRowIndexMask = (std::uint64_t{1} << kRowIndexBits) - 1;

extern constinit std::atomic<std::uint64_t> g_rule_slots[std::size_t{1} << kSlotBits];
extern constinit RuleRow g_rule_rows[kRowCount];

inline std::uint64_t home_slot(std::uint64_t pc) {
  constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
  return (pc * kGoldenRatio) >> (64 - kSlotBits);
}
inline std::uint64_t neighbour_of(std::uint64_t slot) {
  return slot ^ 1;
}

// The row of `pc` if `slot` holds it, or null. The row is ready; its load is mapped, as far as
// known.
inline const RuleRow* find_row_in(std::uint64_t slot, std::uint64_t pc) {
  // Acquire: pairs with the release in remember_rule, so that the row's fields are there.
  const std::uint64_t word = g_rule_slots[slot].load(std::memory_order_acquire);
  // An empty slot is 0, as the word of an impossible pc 0 would be.
  if (word == 0 || word >> kRowIndexBits != pc) [[unlikely]] {
    return nullptr;
  }
  const RuleRow& row = g_rule_rows[word & kRowIndexMask];
  return row.load->mapped.load(std::memory_order_relaxed) ? &row : nullptr;
}

inline const RuleRow* find_row(std::uint64_t pc) {
  const std::uint64_t home = home_slot(pc);
  const RuleRow* row = find_row_in(home, pc);
  return row != nullptr ? row : find_row_in(neighbour_of(home), pc);
}

// Remembers the rule of `pc`. Does nothing when the rows are used up.
void remember_rule(std::uint64_t pc, const Load& load, CompactRule rule);

// Counts a miss of `pc` by its cause. To be called before remember_rule.
void count_miss(std::uint64_t pc);

}  // namespace seep::stack
