// Allocation sites: a stack and a kind of memory, with what cannot be recomputed by a walk: how
// much was ever allocated there. Context: IN-HOOK. Lock-free, insert-only; ids start at 1.
#pragma once

#include <atomic>
#include <cstdint>

#include "format/snapshot_format.h"
#include "preload/table/segmented_array.h"

namespace seep::table {

struct SiteEntry {
  std::uint32_t node;
  std::uint32_t kind;                           // format::SiteKind
  std::atomic<std::uint64_t> allocated_blocks;  // relaxed: figures, they publish nothing
  std::atomic<std::uint64_t> allocated_bytes;
};

class SiteTable {
 public:
  static constexpr std::uint32_t kNone = 0;

  constexpr SiteTable() = default;
  SiteTable(const SiteTable&) = delete;
  SiteTable& operator=(const SiteTable&) = delete;

  // The site of a stack's node; kNone when there is no room. Node 0 (no stack) is a site like
  // others.
  std::uint32_t find_or_add(std::uint32_t node, format::SiteKind kind);

  // One more than the largest id.
  [[nodiscard]] std::uint32_t count() const { return 1 + used_.load(std::memory_order_acquire); }
  // For an id that find_or_add returned.
  [[nodiscard]] SiteEntry& site(std::uint32_t id) { return sites_.at(id); }
  void count_births(std::uint32_t id, std::uint64_t blocks, std::uint64_t bytes) {
    SiteEntry& entry = site(id);
    entry.allocated_blocks.fetch_add(blocks, std::memory_order_relaxed);
    entry.allocated_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  [[nodiscard]] const SiteEntry* find(std::uint32_t id) const { return sites_.find(id); }

 private:
  static constexpr std::size_t kKinds = 2;
  static constexpr std::uint32_t kMostSites =
      (1U << 23) - 4096;  // AddressTable keeps 23 bits; room for racing threads

  struct SitesOfNode {
    std::atomic<std::uint32_t> id[kKinds];  // release in find_or_add, acquire there
  };

  std::atomic<std::uint32_t> used_{
      0};  // relaxed to hand out ids; release/acquire through SitesOfNode
  SegmentedArray<SiteEntry, 13, 1024> sites_;
  SegmentedArray<SitesOfNode, 15, 2048> of_node_;
};

}  // namespace seep::table
