// Interned call stacks: a tree from the outermost frame inward, so that stacks share their callers.
// Context: IN-HOOK. Lock-free, insert-only, grows without a rebuild; ids are stable for the life of
// the process and children have larger ids than their parents.
//
// Nodes lie in the layout of the file format: a snapshot copies them as they are. A node is found
// through a hash trie over all frames from the outermost to its own: 1 << kRootBits slots, each
// empty, a node id, or a table of kFanOut slots for the next bits of the hash. Two nodes that meet
// in a slot move down together. The hash does not need the parent's id, so that the slots of a
// whole path are fetched side by side: each is a miss of the cache where a program has many stacks.
#pragma once

#include <atomic>
#include <cstdint>

#include "format/snapshot_format.h"
#include "preload/runtime/arena.h"
#include "preload/stack/capture.h"
#include "preload/stack/last_walk.h"
#include "preload/table/segmented_array.h"

namespace seep::table {

class StackTable {
 public:
  static constexpr std::uint32_t kRoot = 0;

  constexpr StackTable() = default;
  StackTable(const StackTable&) = delete;
  StackTable& operator=(const StackTable&) = delete;

  // The node of a stack's innermost frame; kRoot for an empty stack or when there is no room.
  std::uint32_t intern(const stack::Stack& captured);
  // The same for a walk that has ended, cut or at the outermost frame. Its steps
  // remember their nodes, so that only what changed since the last walk is looked up.
  std::uint32_t intern(stack::LastWalk& walk, bool cut);
  // The node of a stack whose innermost `count` frames, innermost first, were called from `node`;
  // kRoot when there is no room. The node of each frame goes to `nodes`.
  std::uint32_t intern_below(std::uint32_t node, const stack::Frame* frames, unsigned count,
                             std::uint32_t* nodes);

  // Number of nodes, the root included. One that is being made right now reads as null or as zeros;
  // no site refers to it yet.
  [[nodiscard]] std::uint32_t count() const { return 1 + used_.load(std::memory_order_acquire); }
  [[nodiscard]] const format::NodeRecord* node(std::uint32_t id) const { return nodes_.find(id); }

 private:
  using Slot = std::atomic<std::uint32_t>;  // release when a node or table is published, acquire
  static constexpr std::uint32_t kMostNodes = 4096U * (1U << 14) - 4096;  // room for racing threads
  static constexpr std::uint32_t kMostTables = 4096U * (1U << 12) - 4096;
  static constexpr unsigned kRootBits = 16;
  static constexpr unsigned kFanBits = 4;
  static constexpr unsigned kFanOut = 1U << kFanBits;
  static constexpr std::uint32_t kTableMark = 1U << 31;

  struct Table {
    Slot slots[kFanOut];
  };

  static constexpr unsigned kMostFetched = 16;
  // One frame of a path, and the hash of the path down to it.
  struct Link {
    stack::Frame frame;
    std::uint64_t key;
  };

  // Frame `index` of `source` gives the links from `count` - 1 down to 0 below `node`; `note` is
  // told the node of each. The last node; kRoot when there is no room.
  template <typename FrameOf, typename Note>
  std::uint32_t descend(std::uint32_t node, unsigned count, FrameOf&& frame_of, Note&& note);
  void fetch(const Link* links, unsigned count) const;
  const Slot* fetch_next(const Slot& slot, std::uint64_t key, unsigned level) const;
  std::uint32_t child(std::uint32_t parent, const Link& link);
  std::uint32_t make_node(std::uint32_t parent, const Link& link);
  std::uint32_t push_down(std::uint32_t node, unsigned shift);
  [[nodiscard]] std::uint64_t key_of(std::uint32_t node) const {
    return node == kRoot ? 0 : keys_.at(node);
  }
  static std::uint64_t extend(std::uint64_t key, const stack::Frame& frame);
  static std::size_t root_slot(std::uint64_t key) { return key & ((1U << kRootBits) - 1); }

  std::atomic<std::uint32_t> used_{0};    // relaxed to hand out ids; release/acquire through Slot
  std::atomic<std::uint32_t> tables_{0};  // relaxed, as used_
  SegmentedArray<format::NodeRecord, 14, 4096> nodes_;
  SegmentedArray<std::uint64_t, 14, 4096>
      keys_;  // written before the node is published in its Slot
  SegmentedArray<Table, 12, 4096> table_of_;
  Slot root_[std::size_t{1} << kRootBits] = {};
};

}  // namespace seep::table
