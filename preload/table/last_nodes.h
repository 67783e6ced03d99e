// Nodes of the tree of stacks that a thread was at before: which one a frame has below its
// caller's. Context: IN-HOOK. Used by one capture at a time; who owns it sees to that. Begins
// zeroed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/table/stack_table.h"

namespace seep::table {

class LastNodes {
 public:
  // The node of a frame of a script that was called from `caller`; kRoot where it is not known.
  [[nodiscard]] std::uint32_t find(std::uint32_t caller, std::uint32_t frame) const {
    const Entry& entry = entries_[place_of(caller, frame)];
    return entry.caller == caller && entry.frame == frame ? entry.node : StackTable::kRoot;
  }
  void keep(std::uint32_t caller, std::uint32_t frame, std::uint32_t node) {
    entries_[place_of(caller, frame)] = {caller, frame, node};
  }

 private:
  static constexpr std::size_t kEntries = 1024;
  static constexpr unsigned kHashShift = 54;
  static_assert(kEntries == std::size_t{1} << (64 - kHashShift));

  struct Entry {
    std::uint32_t caller;
    std::uint32_t frame;
    std::uint32_t node;
  };

  static std::size_t place_of(std::uint32_t caller, std::uint32_t frame) {
    return (std::uint64_t{caller} << 32 | frame) * 0x9E3779B97F4A7C15ULL >> kHashShift;
  }

  Entry entries_[kEntries];
};

}  // namespace seep::table
