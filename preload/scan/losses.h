// Nodes that no root leads to, told apart: direct losses, and those that are lost with another.
// Context: IN-FORK-CHILD.
//
// A node that no other unreachable one points to is a direct loss, and what it leads to is
// indirect. Nodes that only point to each other have no such beginning: the block with the lowest
// address is taken for it, else the object. A pointer of a node to itself does not count, and one
// of an object into its own arena only for what else lies there. A block leads to the objects in
// it. What two direct losses lead to is taken for lost with the one that comes first.
#pragma once

#include <cstdint>

#include "preload/scan/marker.h"
#include "preload/scan/memory_map.h"
#include "preload/scan/nodes.h"
#include "preload/scan/pages.h"

namespace seep::scan {

struct LossTally {
  std::uint64_t direct_blocks;
  std::uint64_t direct_bytes;
  std::uint64_t indirect_blocks;
  std::uint64_t indirect_bytes;
};

class LossFinder {
 public:
  LossFinder(const Nodes& nodes, MemoryMap& memory, const Deadline& deadline)
      : nodes_(nodes), memory_(memory), deadline_(deadline) {}

  enum class End : std::uint8_t { kDone, kTooLate, kNoMemory };
  // Tells the nodes that are not marked apart; those born before `fork_tick` are not counted.
  End find(std::uint32_t site_count, std::uint32_t fork_tick);

  [[nodiscard]] const LossTally& tally(std::uint32_t site) const { return tallies_[site]; }
  [[nodiscard]] bool any() const { return any_; }
  // Indirect losses by site, and by the site of the direct loss that leads to them.
  const Pages<HolderCounts::Count>& heads() { return heads_.sort(); }

 private:
  // An unreachable node.
  struct Lost {
    NodeId node;
    std::uint64_t size;   // of the whole node
    std::uint64_t bytes;  // without the objects in it, which count for themselves
    std::uint32_t site;
    std::uint32_t
        head;         // when it is met, the index of the direct loss that leads to it, or its own
    bool counts;      // it is not a parent's
    bool is_pointed;  // by another one
    bool is_met;
  };

  bool list_lost(std::uint32_t fork_tick);
  void add_lost(NodeId node, std::uint32_t fork_tick);
  bool note_pointers();
  // Those that are not met yet, and what they lead to. False: too late.
  bool follow_all(bool pointed);
  bool follow(Lost& from);
  Lost* find_lost(NodeId node);
  void count(const Lost& lost, std::uint32_t site_count);
  template <typename Visit>
  void visit_pointed(const Lost& from, Visit&& visit);
  bool is_late();

  const Nodes& nodes_;
  MemoryMap& memory_;
  const Deadline& deadline_;
  Pages<Lost> lost_;             // blocks, then objects, each ascending by address
  std::size_t lost_blocks_ = 0;  // how many of them are blocks
  Pages<std::uint32_t> to_follow_;
  Pages<LossTally> tallies_;
  HolderCounts heads_;
  unsigned blocks_to_look_ = 0;
  bool any_ = false;
};

}  // namespace seep::scan
