// The nodes of the graph that a scan follows: live blocks, and objects of pools (include/seep.h).
// Context: IN-FORK-CHILD.
//
// An object lies in an arena: a block, a map, or memory of which nothing is recorded.
//
//   block or map |  object | object |        | object |      |
//                ^ own words         ^ own words       ^      of the arena
//
//   - A pointer into an object leads to it, and to the block that it lies in. A pointer to the
//     block leads to none of its objects.
//   - The words of an object are its own: an arena is looked at outside of its objects.
//   - So a block that is lost has lost all of its objects: they are lost with it.
#pragma once

#include <cstdint>

#include "preload/scan/heap_index.h"

namespace seep::scan {

// Names a node: its first byte, and of which kind it is. An object may begin where its arena does.
class NodeId {
 public:
  NodeId() = default;  // none
  static NodeId of_block(std::uintptr_t start) { return NodeId(start); }
  static NodeId of_object(std::uintptr_t start) {
    return NodeId(start == 0 ? 0 : start | kIsObject);
  }
  [[nodiscard]] bool exists() const { return word_ != 0; }
  [[nodiscard]] bool is_object() const { return (word_ & kIsObject) != 0; }
  [[nodiscard]] std::uintptr_t start() const { return word_ & ~kIsObject; }
  bool operator==(const NodeId&) const = default;

 private:
  static constexpr std::uintptr_t kIsObject = 1;  // addresses are multiples of 8 here

  explicit NodeId(std::uintptr_t word) : word_(word) {}
  std::uintptr_t word_ = 0;
};

class Nodes {
 public:
  Nodes(table::AddressTable& blocks, table::PoolTable& objects)
      : blocks_(blocks), objects_(objects) {}

  // False when the kernel has no memory. To be called once, before all else.
  bool map() { return blocks_.map() && objects_.map(); }
  // Each in the order of their pages; all blocks before the first object. False when the kernel has
  // no memory.
  bool add_block(const table::Block& block);
  bool add_object(const table::Block& object);
  // Whether memory that was taken back since, and given out again, lies where the object did: its
  // pool is gone, and did not say so. Objects must be at least as old as what they lie in.
  [[nodiscard]] bool is_overlaid(const table::Block& object) const;

  [[nodiscard]] const BlockIndex& blocks() const { return blocks_; }
  [[nodiscard]] const ObjectIndex& objects() const { return objects_; }

  // All of them lie between these two. Equal: there is none.
  [[nodiscard]] std::uintptr_t low() const { return low_; }
  [[nodiscard]] std::uintptr_t high() const { return high_; }

  // As those of HeapIndex, for a word that may point to a node.
  [[nodiscard]] bool is_near(std::uint64_t word) const { return word - low_ < high_ - low_; }
  void prefetch(std::uint64_t word) const {
    blocks_.prefetch(word);
    if (objects_.is_near(word)) {
      objects_.prefetch(word);
    }
  }
  [[nodiscard]] bool is_settled(std::uint64_t word) const { return blocks_.is_settled(word); }
  [[nodiscard]] NodeId find_unmarked(std::uint64_t word) const;
  // The only object, and the only block, that a word may lead to, or none. Only where is_near().
  [[nodiscard]] NodeId find_object(std::uint64_t word) const {
    return NodeId::of_object(objects_.is_near(word) ? objects_.find_start(word) : 0);
  }
  [[nodiscard]] NodeId find_block(std::uint64_t word) const {
    return NodeId::of_block(blocks_.is_near(word) ? blocks_.find_start(word) : 0);
  }
  // Marks what a word leads to, where find_unmarked() told `found`. Calls visit(NodeId, const
  // NodeInfo&) for each node that was not marked before: an object, its arena.
  template <typename Visit>
  void mark(std::uint64_t word, NodeId found, Visit&& visit);
  [[nodiscard]] bool is_marked(NodeId node) const {
    return node.is_object() ? objects_.is_marked(node.start()) : blocks_.is_marked(node.start());
  }
  // The bytes of a node, at least one.
  [[nodiscard]] std::uint64_t extent_of(NodeId node, const NodeInfo& info) const {
    return node.is_object() ? objects_.extent_of(node.start(), info)
                            : blocks_.extent_of(node.start(), info);
  }
  [[nodiscard]] const NodeInfo& info_of(NodeId node) const {
    return node.is_object() ? objects_.info_of(node.start()) : blocks_.info_of(node.start());
  }
  // All that is known of a node; false when there is none.
  bool look_up(NodeId node, table::Block& block) const {
    return node.is_object() ? objects_.look_up(node.start(), block)
                            : blocks_.look_up(node.start(), block);
  }

  // Calls visit(NodeId) for each node that is marked (or not) until it returns false: blocks, then
  // objects, each ascending.
  template <typename Visit>
  void visit_all(bool marked, Visit&& visit) const;
  // Calls visit(begin, end) for the pieces of [begin, end), a part of the node, that are its own.
  template <typename Visit>
  void visit_own(NodeId node, std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const {
    if (!node.is_object() && blocks_.may_be_arena(node.start())) {
      objects_.visit_uncovered(begin, end, visit);
    } else {
      visit(begin, end);
    }
  }
  // Calls visit(first byte, bytes) for each object that lies in a block of `bytes` bytes.
  template <typename Visit>
  void visit_objects(NodeId block, std::uint64_t bytes, Visit&& visit) const {
    if (!block.is_object() && blocks_.may_be_arena(block.start())) {
      objects_.visit_within(block.start(), block.start() + bytes, visit);
    }
  }
  // The block that an object lies in, or none.
  [[nodiscard]] NodeId arena_of(NodeId object) const;

 private:
  void widen();

  BlockIndex blocks_;
  ObjectIndex objects_;
  std::uint64_t low_ = UINT64_MAX;
  std::uint64_t high_ = UINT64_MAX;  // equal: nothing is near
};

// What each word of the heap may run through stands here.

// Where a word points into an object that is marked, the block that it lies in is as well; behind
// the end of one it may point to any block.
inline NodeId Nodes::find_unmarked(std::uint64_t word) const {
  if (objects_.is_near(word)) {
    const std::uintptr_t start = objects_.find_unmarked(word);
    if (start != 0 || objects_.begins_at(word)) {
      return NodeId::of_object(start);
    }
  }
  return NodeId::of_block(blocks_.is_near(word) ? blocks_.find_unmarked(word) : 0);
}

template <typename Visit>
void Nodes::mark(std::uint64_t word, NodeId found, Visit&& visit) {
  std::uintptr_t start = found.start();
  if (found.is_object()) {
    if (!objects_.is_marked(start)) {
      const NodeInfo& info = objects_.info_of(start);
      if (word - start < objects_.extent_of(start, info)) {
        objects_.mark(start);
        visit(found, info);
      }
    }
    start = blocks_.is_near(word) ? blocks_.find_unmarked(word) : 0;
  }
  if (start == 0 || blocks_.is_marked(start)) {
    return;
  }
  const NodeInfo& info = blocks_.info_of(start);
  const std::uint64_t bytes = blocks_.extent_of(start, info);
  if (word - start >= bytes) {
    return;
  }
  if (blocks_.may_be_arena(start)) {
    blocks_.mark(start);  // its pages are full of objects that are not met
  } else {
    blocks_.settle(start, bytes);
  }
  visit(NodeId::of_block(start), info);
}

template <typename Visit>
void Nodes::visit_all(bool marked, Visit&& visit) const {
  bool go_on = true;
  blocks_.visit_blocks(marked, [&](std::uintptr_t start) {
    go_on = visit(NodeId::of_block(start));
    return go_on;
  });
  if (go_on) {
    objects_.visit_blocks(marked,
                          [&](std::uintptr_t start) { return visit(NodeId::of_object(start)); });
  }
}

}  // namespace seep::scan
