// Sites with the same stack and kind, over all recordings of one program, become one row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/rank/rank.h"

namespace seep::report {

struct Group {
  std::vector<std::size_t> members;  // into the ranked sites, most suspicious first
  std::uint64_t key = 0;             // of its stack: the same in every run of the same builds
  bool leak = false;
  double growth_low = 0;         // lower bounds of all growing members, bytes a second
  std::uint64_t lost_bytes = 0;  // unreachable
  std::uint64_t live_bytes = 0;
};

// Groups in the order of design §2.3: leaks first, then lower bound of growth, unreachable bytes,
// live bytes.
// With `by_site` each site is a group of its own.
std::vector<Group> group_sites(const std::vector<model::Recording>& recordings,
                               const std::vector<rank::RankedSite>& ranked, bool by_site);

}  // namespace seep::report
