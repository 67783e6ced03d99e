// What a walk must know of one address: the module, and the rule to its caller.
// Context: IN-HOOK, any thread, signal handlers too. An IntactLoads belongs to one walk.
#pragma once

#include <bit>
#include <cstdint>

#include "preload/stack/modules.h"
#include "preload/stack/rule_cache.h"
#include "preload/stack/unwind_rule.h"

namespace seep::stack {

// What is known about one address.
struct Site {
  const Load* load;  // null: in no module
  std::uint64_t frame_base;
  CompactRule rule;
};

// The modules that one walk has found intact: asking the kernel costs as much as reading a rule.
// A module that is unmapped in the middle of a walk over its frames is beyond help anyway.
class IntactLoads {
 public:
  bool holds(const Load& load) {
    if (&load == latest_ || &load == before_) {
      return true;
    }
    if (!is_intact(load)) {
      return false;
    }
    before_ = latest_;
    latest_ = &load;
    return true;
  }

 private:
  const Load* latest_ = nullptr;
  const Load* before_ = nullptr;
};

// For what the cache of rules does not hold.
Site find_site_in_tables(std::uint64_t pc, IntactLoads& intact);

// Of the instruction at `pc`.
inline Site find_site(std::uint64_t pc, IntactLoads& intact) {
  const RuleRow* row = find_row(pc);
  if (row == nullptr) [[unlikely]] {
    return find_site_in_tables(pc, intact);
  }
  return {row->load, row->frame_base,
          std::bit_cast<CompactRule>(row->rule.load(std::memory_order_relaxed))};
}

}  // namespace seep::stack
