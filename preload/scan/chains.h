// Who holds what: the ways that lead from roots to blocks, and how many blocks of the sites that
// matter are held in each. Context: IN-FORK-CHILD.
//
// Blocks are met breadth first, so the way by which a block is met first is a shortest one. A way
// is a path in a tree: a root, then the sites of the blocks that hold each other. It is extended
// once for each block that holds another, so no block needs to remember its predecessor. A site
// stands once in a way: a list of a million nodes is "root, node", and a cycle of sites is cut.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/snapshot_format.h"
#include "preload/scan/pages.h"

namespace seep::scan {

using WayId = std::uint32_t;
inline constexpr WayId kUnknownWay = 0;  // too many ways: not remembered
inline constexpr unsigned kWayBits = 21;

class Ways {
 public:
  static constexpr unsigned kMostLinks = 16;
  static constexpr std::size_t kMostWays = std::size_t{1} << kWayBits;

  // `many`: millions of blocks will be met. To be called once.
  bool map(bool many = false);
  // The way that begins with this root, or goes on from `holder` by a block of `site` in which the
  // pointer lies at `offset`.
  WayId begin(const format::LinkRecord& root);
  WayId extend(WayId holder, std::uint32_t site, std::uint64_t offset);
  // The way goes on by a link of another kind; `once`: it ends there where it has that link
  // already.
  WayId extend(WayId holder, const format::LinkRecord& link, bool once);

  // The links of a way into `links`, outermost first; how many.
  unsigned list(WayId way, format::LinkRecord (&links)[kMostLinks]) const;
  [[nodiscard]] const format::LinkRecord& last_link(WayId way) const { return ways_[way].link; }
  [[nodiscard]] WayId holder_of(WayId way) const { return ways_[way].holder; }
  // Has the processor fetch what extend(way) will read.
  void prefetch(WayId way) const { __builtin_prefetch(&ways_[way]); }

  // Counts a block of `site` that is held in this way; false, and nothing is done, where blocks of
  // another site are counted there: most ways lead to blocks of one.
  bool count(WayId way, std::uint32_t site) {
    Way& counted = ways_[way];
    if (counted.blocks != 0 && counted.site != site) {
      return false;
    }
    counted.site = site;
    ++counted.blocks;
    return true;
  }
  // Calls visit(way, site, blocks) for each way that blocks were counted at.
  template <typename Visit>
  void visit_counts(Visit&& visit) const {
    for (const Way& way : ways_) {
      if (way.blocks != 0) {
        visit(static_cast<WayId>(&way - ways_.begin()), way.site, way.blocks);
      }
    }
  }

 private:
  struct alignas(64) Way {
    format::LinkRecord link;
    WayId holder;  // kUnknownWay: the link is a root
    WayId next;    // in the same place of the hash table
    std::uint32_t length;
    std::uint32_t site;    // of the blocks that are counted
    std::uint64_t blocks;  // how many
  };
  static constexpr std::size_t kPlaces = std::size_t{1} << 20;

  WayId find_or_add(WayId holder, const format::LinkRecord& link, std::uint64_t key);

  Pages<Way> ways_;  // the first one stands for kUnknownWay
  Pages<WayId> places_;
  WayId last_holder_ = kUnknownWay;  // of the last call of extend, and its answer
  std::uint32_t last_site_ = 0;
  WayId last_way_ = kUnknownWay;
};

// Counts blocks by their site and by what holds them: a way, or another site. What finds no room is
// not counted.
class HolderCounts {
 public:
  struct Count {
    std::uint32_t site;
    std::uint32_t holder;
    std::uint64_t blocks;
  };

  // Room for counts that are made elsewhere, too.
  bool map(std::size_t others = 0) {
    return places_.map(kPlaces) && counts_.map(kMostCounts + others);
  }
  void add(std::uint32_t site, std::uint32_t holder);
  // One that add() did not make. No add() may follow.
  void append(const Count& count) { counts_.add(count); }
  // All counts, by site; within it, most blocks first. Ends the counting.
  const Pages<Count>& sort();

 private:
  static constexpr std::size_t kPlaces = std::size_t{1} << 19;
  static constexpr std::size_t kMostCounts = kPlaces / 2;
  static constexpr unsigned kPlacesToTry = 32;

  Pages<std::uint32_t> places_;  // of a count, one more than its index; 0: free
  Pages<Count> counts_;
};

// Counts blocks by (site, way), for chosen sites.
class WayCounts {
 public:
  explicit WayCounts(Ways& ways) : ways_(ways) {}

  bool map(std::size_t sites) { return chosen_.map(sites) && counts_.map(Ways::kMostWays); }
  void choose(std::uint32_t site) { chosen_[site] = 1; }
  void count(std::uint32_t site, WayId way) {
    if (site < chosen_.capacity() && chosen_[site] != 0 && way != kUnknownWay &&
        !ways_.count(way, site)) {
      counts_.add(site, way);
    }
  }
  // Ends the counting.
  const Pages<HolderCounts::Count>& sort() {
    ways_.visit_counts([this](WayId way, std::uint32_t site, std::uint64_t blocks) {
      counts_.append({site, way, blocks});
    });
    return counts_.sort();
  }

 private:
  Ways& ways_;
  Pages<std::uint8_t> chosen_;
  HolderCounts counts_;
};

}  // namespace seep::scan
