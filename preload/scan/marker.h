// Marks the nodes that roots lead to, breadth first. Context: IN-FORK-CHILD.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/runtime/clocks.h"
#include "preload/scan/chains.h"
#include "preload/scan/memory_map.h"
#include "preload/scan/nodes.h"

namespace seep::scan {

// Memory that counts as a root, or words of it.
struct Root {
  format::LinkRecord link;  // of kGlobal without offset
  std::uint64_t bias;       // of kGlobal: run-time address minus ELF address
};

// When a scan must have come to its end; monotonic time.
class Deadline {
 public:
  explicit Deadline(std::uint64_t end_ns) : end_ns_(end_ns) {}
  [[nodiscard]] bool has_passed() const { return runtime::clock_ns(CLOCK_MONOTONIC) > end_ns_; }

 private:
  std::uint64_t end_ns_;
};

// Calls visit(address of the word, word) for each aligned word of [begin, end) that can be a
// pointer to a node.
template <typename Visit>
inline void visit_near_words(const Nodes& nodes, std::uintptr_t begin, std::uintptr_t end,
                             Visit&& visit) {
  const auto* word = reinterpret_cast<const std::uint64_t*>((begin + 7) & ~std::uintptr_t{7});
  const auto* stop = reinterpret_cast<const std::uint64_t*>(end & ~std::uintptr_t{7});
  for (; word < stop; ++word) {
    if (const std::uint64_t value = *word; nodes.is_near(value)) {
      visit(reinterpret_cast<std::uintptr_t>(word), value);
    }
  }
}

class Marker {
 public:
  Marker(Nodes& nodes, MemoryMap& memory, Ways& ways, WayCounts& counts, const Deadline& deadline)
      : nodes_(nodes), memory_(memory), ways_(ways), counts_(counts), deadline_(deadline) {}

  bool map() { return queue_.map(kQueueEntries) && candidates_.map(kCandidates); }

  // What [begin, end) points to is reachable; it must be readable. `root` must outlive run().
  void add_root(std::uintptr_t begin, std::uintptr_t end, const Root& root);
  // What holds `address` is reachable.
  void add_address(std::uintptr_t address, const Root& root);
  // Marks all that is reachable. False when the deadline passed.
  bool run();

 private:
  // A word that may point to a node. It waits until what must be looked at has been fetched.
  struct Candidate {
    std::uint64_t word;
    NodeId node;          // as find_unmarked() tells, once is_looked_up
    std::uint64_t place;  // of the word: its address in a root, its offset in a node
    const Root* root;     // null: in a node
    WayId holder;
    std::uint32_t site;
    bool is_looked_up;
  };
  // A node to be scanned.
  struct Entry {
    NodeId node;
    std::uint64_t known;  // 63…44 size; kUnknownSize: ask the table | 43…21 site | 20…0 way

    [[nodiscard]] WayId way() const {
      return static_cast<WayId>(known & ((std::uint64_t{1} << kWayBits) - 1));
    }
    [[nodiscard]] std::uint32_t site() const {
      return static_cast<std::uint32_t>(known >> kWayBits) & table::AddressTable::kMaxSite;
    }
    [[nodiscard]] std::uint64_t size() const { return known >> kSizeShift; }
  };
  static constexpr unsigned kSizeShift = 44;
  static constexpr std::uint64_t kUnknownSize = UINT64_MAX >> kSizeShift;
  static_assert(std::uint64_t{table::AddressTable::kMaxSite} << kWayBits < 1ULL << kSizeShift);
  static constexpr std::size_t kQueueEntries = std::size_t{1} << 21;
  static constexpr std::size_t kCandidates = 64;
  static constexpr std::size_t kHalfWay = 32;
  static constexpr unsigned kBlocksPerLook = 4096;
  static constexpr std::size_t kFetchAhead = 16;
  static constexpr std::size_t kLineBytes = 64;

  void add_candidate(const Candidate& candidate);
  void settle(const Candidate& candidate);
  void settle_all();
  WayId way_of(const Candidate& candidate);
  void push(NodeId node, const table::Block& block, WayId way);
  void scan(const Entry& entry);
  bool drain();
  void scan_again();

  Nodes& nodes_;
  MemoryMap& memory_;
  Ways& ways_;
  WayCounts& counts_;
  const Deadline& deadline_;
  Pages<Entry> queue_;  // a ring
  std::size_t first_ = 0;
  std::size_t behind_ = 0;
  bool overflowed_ = false;      // nodes were marked that found no room in the queue
  Pages<Candidate> candidates_;  // a ring
  std::size_t candidates_first_ = 0;
  std::size_t candidates_behind_ = 0;
};

}  // namespace seep::scan
