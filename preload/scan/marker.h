// Marks the blocks that roots lead to, breadth first. Context: IN-FORK-CHILD.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/runtime/clocks.h"
#include "preload/scan/chains.h"
#include "preload/scan/heap_index.h"
#include "preload/scan/memory_map.h"

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
// pointer to a block.
template <typename Visit>
inline void visit_near_words(const HeapIndex& index, std::uintptr_t begin, std::uintptr_t end,
                             Visit&& visit) {
  const auto* word = reinterpret_cast<const std::uint64_t*>((begin + 7) & ~std::uintptr_t{7});
  const auto* stop = reinterpret_cast<const std::uint64_t*>(end & ~std::uintptr_t{7});
  for (; word < stop; ++word) {
    if (const std::uint64_t value = *word; index.is_near(value)) {
      visit(reinterpret_cast<std::uintptr_t>(word), value);
    }
  }
}

class Marker {
 public:
  Marker(table::AddressTable& blocks, HeapIndex& index, MemoryMap& memory, Ways& ways,
         WayCounts& counts, const Deadline& deadline)
      : blocks_(blocks),
        index_(index),
        memory_(memory),
        ways_(ways),
        counts_(counts),
        deadline_(deadline) {}

  bool map() { return queue_.map(kQueueEntries) && candidates_.map(kCandidates); }

  // What [begin, end) points to is reachable; it must be readable. `root` must outlive run().
  void add_root(std::uintptr_t begin, std::uintptr_t end, const Root& root);
  // The block that holds `address` is reachable.
  void add_block(std::uintptr_t address, const Root& root);
  // Marks all that is reachable. False when the deadline passed.
  bool run();

 private:
  // A word that may point to a block. It waits until what must be looked at has been fetched.
  struct Candidate {
    std::uint64_t word;
    std::uintptr_t start;  // of the block, as find_unmarked() tells; kNotLookedUp before
    std::uint64_t place;   // of the word: its address in a root, its offset in a block
    const Root* root;      // null: in a block
    WayId holder;
    std::uint32_t site;
  };
  // A block to be scanned: 63…21 first byte / 16 | 20…0 way.
  struct Entry {
    std::uint64_t start_and_way;
    std::uint32_t size;  // kUnknownSize: ask the table
    std::uint32_t site;
  };
  static constexpr std::uintptr_t kNotLookedUp = 1;
  static constexpr std::size_t kQueueEntries = std::size_t{1} << 21;
  static constexpr std::size_t kCandidates = 64;
  static constexpr std::size_t kHalfWay = 32;
  static constexpr std::uint32_t kUnknownSize = UINT32_MAX;
  static constexpr unsigned kBlocksPerLook = 4096;
  static constexpr std::size_t kFetchAhead = 16;
  static constexpr std::size_t kLineBytes = 64;

  void add_candidate(const Candidate& candidate);
  void settle(const Candidate& candidate);
  void settle_all();
  WayId way_of(const Candidate& candidate);
  void push(const table::Block& block, WayId way);
  void scan(const Entry& entry);
  bool drain();
  void scan_again();

  table::AddressTable& blocks_;
  HeapIndex& index_;
  MemoryMap& memory_;
  Ways& ways_;
  WayCounts& counts_;
  const Deadline& deadline_;
  Pages<Entry> queue_;  // a ring
  std::size_t first_ = 0;
  std::size_t behind_ = 0;
  bool overflowed_ = false;      // blocks were marked that found no room in the queue
  Pages<Candidate> candidates_;  // a ring
  std::size_t candidates_first_ = 0;
  std::size_t candidates_behind_ = 0;
};

}  // namespace seep::scan
