#include "preload/table/stack_table.h"

namespace seep::table {

// SplitMix64's finalizer over the key of a path and its next frame.
std::uint64_t StackTable::extend(std::uint64_t key, const stack::Frame& frame) {
  std::uint64_t value =
      (key ^ std::uint64_t{frame.flags} << 32) + frame.frame * 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

std::uint32_t StackTable::intern(const stack::Stack& captured) {
  return descend(
      kRoot, captured.depth,
      [&](unsigned i) {
        stack::Frame frame = captured.frames[i];
        frame.flags |= captured.cut && i + 1 == captured.depth ? format::kCut : 0;
        return frame;
      },
      [](unsigned, std::uint32_t) {});
}

std::uint32_t StackTable::intern(stack::LastWalk& walk, bool cut) {
  stack::WalkStep* const steps = walk.first();
  const unsigned frames = walk.frames();
  unsigned unknown = 0;
  while (unknown < frames && steps[unknown].node == kRoot) {
    ++unknown;
  }
  return descend(
      unknown < frames ? steps[unknown].node : kRoot, unknown,
      [&](unsigned i) {
        const std::uint32_t mark = cut && i + 1 == frames ? format::kCut : 0;
        return stack::Frame{steps[i].frame, steps[i].flags | mark};
      },
      [&](unsigned i, std::uint32_t node) { steps[i].node = node; });
}

std::uint32_t StackTable::intern_below(std::uint32_t node, const stack::Frame* frames,
                                       unsigned count, std::uint32_t* nodes) {
  return descend(
      node, count, [frames](unsigned i) { return frames[i]; },
      [nodes](unsigned i, std::uint32_t found) { nodes[i] = found; });
}

template <typename FrameOf, typename Note>
std::uint32_t StackTable::descend(std::uint32_t node, unsigned count, FrameOf&& frame_of,
                                  Note&& note) {
  std::uint64_t key = count == 0 ? 0 : key_of(node);
  Link links[kMostFetched];
  while (count != 0) {
    const unsigned now = count < kMostFetched ? count : kMostFetched;
    for (unsigned i = 0; i < now; ++i) {
      const stack::Frame frame = frame_of(count - 1 - i);
      key = extend(key, frame);
      links[i] = {frame, key};
    }
    if (now > 1) {
      fetch(links, now);
    }
    for (unsigned i = 0; i < now; ++i) {
      node = child(node, links[i]);
      if (node == kRoot) {
        return kRoot;
      }
      note(count - 1 - i, node);
    }
    count -= now;
  }
  return node;
}

// Asks for the memory on the way to each link, level by level; what is found is not trusted.
void StackTable::fetch(const Link* links, unsigned count) const {
  constexpr unsigned kLevels = 3;  // a million nodes stand within two tables
  const Slot* at[kMostFetched];
  for (unsigned i = 0; i < count; ++i) {
    at[i] = &root_[root_slot(links[i].key)];
    __builtin_prefetch(at[i]);
  }
  for (unsigned level = 0; level < kLevels; ++level) {
    for (unsigned i = 0; i < count; ++i) {
      at[i] = at[i] == nullptr ? nullptr : fetch_next(*at[i], links[i].key, level);
    }
  }
}

// Asks for what `slot` of a level refers to: the slot below it, or a node, below which there is
// none.
const StackTable::Slot* StackTable::fetch_next(const Slot& slot, std::uint64_t key,
                                               unsigned level) const {
  const std::uint32_t value = slot.load(std::memory_order_acquire);
  if ((value & kTableMark) != 0) {
    const unsigned shift = kRootBits + level * kFanBits;
    const Slot* next = &table_of_.at(value & ~kTableMark).slots[key >> shift & (kFanOut - 1)];
    __builtin_prefetch(next);
    return next;
  }
  if (value != 0) {
    __builtin_prefetch(&nodes_.at(value));
  }
  return nullptr;
}

std::uint32_t StackTable::child(std::uint32_t parent, const Link& link) {
  const stack::Frame& frame = link.frame;
  Slot* slot = &root_[root_slot(link.key)];
  unsigned shift = kRootBits;
  std::uint32_t fresh = kRoot;
  while (true) {
    std::uint32_t value = slot->load(std::memory_order_acquire);
    if (value == 0) {
      fresh = fresh != kRoot ? fresh : make_node(parent, link);
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
    slot = &table_of_.at(value & ~kTableMark).slots[link.key >> shift & (kFanOut - 1)];
    shift += kFanBits;
  }
}

std::uint32_t StackTable::make_node(std::uint32_t parent, const Link& link) {
  if (used_.load(std::memory_order_relaxed) >= kMostNodes) {
    return kRoot;
  }
  // An id that finds no memory is never used again.
  const std::uint32_t id = used_.fetch_add(1, std::memory_order_relaxed) + 1;
  format::NodeRecord* node = nodes_.reach(id);
  std::uint64_t* key = keys_.reach(id);
  if (node == nullptr || key == nullptr) {
    return kRoot;
  }
  *node = {link.frame.frame, parent, link.frame.flags};
  *key = link.key;
  return id;
}

// A table that holds `node` where the hash bits above `shift` put it; 0 when there is no room. If
// the table is not published after all, it stays unused.
std::uint32_t StackTable::push_down(std::uint32_t node, unsigned shift) {
  const std::uint64_t key = keys_.at(node);
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
