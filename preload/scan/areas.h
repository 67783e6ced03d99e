// Parts of the address space and what they are to a scan. Context: IN-FORK-CHILD.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "preload/scan/marker.h"
#include "preload/scan/memory_map.h"
#include "preload/scan/pages.h"

namespace seep::scan {

struct Area {
  std::uintptr_t begin;
  std::uintptr_t end;
  Root root;
  bool is_root;  // false: nothing in it counts, as memory that is free
};

inline constexpr Root kOtherRoot{{static_cast<std::uint32_t>(format::LinkKind::kOther), 0, 0, 0, 0},
                                 0};

// Areas of one kind, in the order of their beginnings.
class AreaList {
 public:
  bool map(std::size_t capacity) { return areas_.map(capacity); }
  bool add(const Area& area) { return area.begin >= area.end || areas_.add(area); }
  bool exclude(std::uintptr_t begin, std::uintptr_t end) {
    return add({begin, end, kOtherRoot, false});
  }
  void sort() {
    std::sort(areas_.begin(), areas_.end(), [](const Area& a, const Area& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
  }
  [[nodiscard]] const Pages<Area>& all() const { return areas_; }

 private:
  Pages<Area> areas_;
};

// What is known of the memory, list by list: where two have something to say, the first is right.
class AreaMap {
 public:
  static constexpr unsigned kLists = 5;
  enum List : unsigned { kExcluded, kThreads, kModules, kMaps, kAllocator };

  bool map();
  AreaList& list(List list) { return lists_[list]; }
  void sort();

  // Calls visit(begin, end, const Area*) for the pieces of [begin, end), ascending; null: an area
  // of no list.
  template <typename Visit>
  void visit_pieces(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const;

 private:
  AreaList lists_[kLists];
};

template <typename Visit>
void AreaMap::visit_pieces(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const {
  std::size_t at[kLists];
  for (unsigned l = 0; l < kLists; ++l) {
    const Pages<Area>& areas = lists_[l].all();
    const Area* first = std::partition_point(
        areas.begin(), areas.end(), [begin](const Area& area) { return area.end <= begin; });
    at[l] = static_cast<std::size_t>(first - areas.begin());
  }
  while (begin < end) {
    const Area* found = nullptr;
    std::uintptr_t stop = end;
    for (unsigned l = 0; l < kLists && found == nullptr; ++l) {
      const Pages<Area>& areas = lists_[l].all();
      while (at[l] < areas.size() && areas[at[l]].end <= begin) {
        ++at[l];
      }
      if (at[l] < areas.size()) {
        const Area& area = areas[at[l]];
        found = area.begin <= begin ? &area : nullptr;
        const std::uintptr_t edge = found != nullptr ? area.end : area.begin;
        stop = edge < stop ? edge : stop;
      }
    }
    visit(begin, stop, found);
    begin = stop;
  }
}

}  // namespace seep::scan
