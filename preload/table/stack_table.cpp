#include "preload/table/stack_table.h"

namespace seep::table {

std::uint64_t StackTable::hash(std::uint32_t parent, std::uint64_t frame, std::uint32_t flags) {
  // SplitMix64's finalizer over an injective combination of the fields that identify a node.
  std::uint64_t value = frame * 0x9E3779B97F4A7C15ULL + (std::uint64_t{flags} << 32 | parent);
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

std::uint32_t StackTable::intern(const stack::Stack& captured) {
  std::uint32_t node = kRoot;
  for (unsigned i = captured.depth; i-- > 0;) {
    stack::Frame frame = captured.frames[i];
    if (captured.cut && i + 1 == captured.depth) {
      frame.flags |= format::kCut;
    }
    node = child(node, frame);
    if (node == kRoot) {
      return kRoot;
    }
  }
  return node;
}

std::uint32_t StackTable::intern(stack::LastWalk& walk, bool cut) {
  stack::WalkStep* const steps = walk.first();
  const unsigned frames = walk.frames();
  unsigned unknown = 0;
  while (unknown < frames && steps[unknown].node == kRoot) {
    ++unknown;
  }
  std::uint32_t node = unknown < frames ? steps[unknown].node : kRoot;
  while (unknown-- > 0) {
    const std::uint32_t mark = cut && unknown + 1 == frames ? format::kCut : 0;
    node = child(node, {steps[unknown].frame, steps[unknown].flags | mark});
    if (node == kRoot) {
      return kRoot;
    }
    steps[unknown].node = node;
  }
  return node;
}

std::uint32_t StackTable::child(std::uint32_t parent, const stack::Frame& frame) {
  const std::uint64_t key = hash(parent, frame.frame, frame.flags);
  Slot* slot = &root_[key & ((1U << kRootBits) - 1)];
  unsigned shift = kRootBits;
  std::uint32_t fresh = kRoot;
  while (true) {
    std::uint32_t value = slot->load(std::memory_order_acquire);
    if (value == 0) {
      fresh = fresh != kRoot ? fresh : make_node(parent, frame);
      if (fresh == kRoot || slot->compare_exchange_strong(value, fresh, std::memory_order_acq_rel,
                                                          std::memory_order_acquire)) {
        return fresh;
      }
    }
    if ((value & kTableMark) == 0) {
      const format::NodeRecord& node = nodes_.at(value);
      if (node.parent == parent && node.frame == frame.frame && node.flags == frame.flags) {
        return value;  // a `fresh` node that lost the race stays unused
      }
      const std::uint32_t table = push_down(value, shift);
      if (table == 0) {
        return kRoot;
      }
      slot->compare_exchange_strong(value, table, std::memory_order_acq_rel,
                                    std::memory_order_acquire);
      continue;
    }
    slot = &table_of_.at(value & ~kTableMark).slots[key >> shift & (kFanOut - 1)];
    shift += kFanBits;
  }
}

std::uint32_t StackTable::make_node(std::uint32_t parent, const stack::Frame& frame) {
  if (used_.load(std::memory_order_relaxed) >= kMostNodes) {
    return kRoot;
  }
  // An id that finds no memory is never used again.
  const std::uint32_t id = used_.fetch_add(1, std::memory_order_relaxed) + 1;
  format::NodeRecord* node = nodes_.reach(id);
  if (node == nullptr) {
    return kRoot;
  }
  *node = {frame.frame, parent, frame.flags};
  return id;
}

// A table that holds `node` where the hash bits above `shift` put it; 0 when there is no room. If
// the table is not published after all, it stays unused.
std::uint32_t StackTable::push_down(std::uint32_t node, unsigned shift) {
  const format::NodeRecord& record = nodes_.at(node);
  const std::uint64_t key = hash(record.parent, record.frame, record.flags);
  if (shift + kFanBits > 64 || tables_.load(std::memory_order_relaxed) >= kMostTables) {
    return 0;
  }
  const std::uint32_t id = tables_.fetch_add(1, std::memory_order_relaxed);
  Table* table = table_of_.reach(id);
  if (table == nullptr) {
    return 0;
  }
  table->slots[key >> shift & (kFanOut - 1)].store(node, std::memory_order_relaxed);
  return id | kTableMark;
}

}  // namespace seep::table
