// Marks the nodes that roots lead to, breadth first. Context: IN-FORK-CHILD.
//
//   queue -> words of a node -> batch of words that may be pointers -> marks -> queue
//
// Nearly all of the time goes into waiting for memory, so words are not followed as they are met: a
// batch is put in the order of what it points to first. Then what the index says of neighbours is
// read at a time, and nodes come into the queue, and are read, in the order of their addresses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/runtime/clocks.h"
#include "preload/scan/chains.h"
#include "preload/scan/fifo.h"
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

  // `many`: millions of nodes will be met. False when the kernel has no memory.
  bool map(bool many = false);

  // Of two shortest ways to a node, the one from the roots that were added first is taken; this
  // begins the next of kRanks - 1 kinds.
  void begin_kind();
  // What [begin, end) points to is reachable; it must be readable. `root` must outlive run().
  void add_root(std::uintptr_t begin, std::uintptr_t end, const Root& root);
  // What holds `address` is reachable.
  void add_address(std::uintptr_t address, const Root& root);
  // Marks all that is reachable. False when the deadline passed.
  bool run();
  // So that nodes find no room in the queue.
  void limit_queue_for_testing(std::size_t segments) { queue_.limit_for_testing(segments); }

 private:
  // A word that may point to a node.
  struct Candidate {
    std::uint64_t word;
    std::uint64_t place;  // of the word: its address in a root, its offset in a node
    WayId holder;         // kUnknownWay: a root, or a node whose way is not known
    std::uint32_t site;   // of the node; kFromRoot and more: which root
  };
  // A node to be scanned.
  struct Entry {
    NodeId node;
    NodeInfo info;  // with its way
  };
  static_assert(kWayBits <= NodeInfo::kFreeBits);
  static constexpr unsigned kRanks = 8;
  static constexpr std::uint32_t kFromRoot = table::AddressTable::kMaxSite + 1;
  static constexpr std::size_t kMostRoots = std::size_t{1} << 20;
  static constexpr std::size_t kBatch = std::size_t{1} << 20;
  static constexpr std::size_t kWorthSorting = 4096;
  // Words are sorted by the pieces of 256 KB that they point into; those 1 GB apart fall together.
  static constexpr unsigned kPieceShift = 18;
  static constexpr std::size_t kPieces = 4096;
  static constexpr unsigned kBlocksPerLook = 4096;
  static constexpr std::size_t kFetchAhead = 16;
  static constexpr std::uint64_t kMostFetched = 256;  // the processor fetches ahead by itself
  static constexpr std::uintptr_t kLineBytes = 64;

  void add_candidate(const Candidate& candidate);
  const Candidate* sort_batch(std::size_t count);
  void settle_batch();
  void settle(const Candidate& candidate, NodeId found);
  WayId way_of(const Candidate& candidate);
  bool push(const Entry& entry);
  void fetch_ahead();
  void scan(const Entry& entry);
  bool scan_rank(unsigned rank, std::size_t count);
  bool scan_level();
  bool drain();
  bool scan_again();

  Nodes& nodes_;
  MemoryMap& memory_;
  Ways& ways_;
  WayCounts& counts_;
  const Deadline& deadline_;
  Pages<const Root*> roots_;
  Fifo<Entry> queue_;             // one level of the search after the other, in each by rank
  std::size_t queued_[kRanks]{};  // of the next level
  unsigned rank_ = 0;             // of what leads to the nodes that are marked now
  bool overflowed_ = false;       // nodes were marked that found no room in the queue
  Pages<Candidate> batch_;
  std::size_t batched_ = 0;
  Pages<Candidate> sorted_;
  Pages<std::uint32_t> piece_ends_;
  unsigned to_look_ = kBlocksPerLook;
};

}  // namespace seep::scan
