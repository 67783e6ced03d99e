#include "analyzer/rank/kept.h"

#include <algorithm>

namespace seep::rank {
namespace {

using model::Scan;

// Takes from the oldest ones.
void take_ages(std::vector<model::AgeCount>& ages, KeptBlocks kept) {
  std::sort(ages.begin(), ages.end(),
            [](const auto& a, const auto& b) { return a.age_class > b.age_class; });
  for (model::AgeCount& age : ages) {
    const std::uint64_t blocks = std::min(age.blocks, kept.blocks);
    const std::uint64_t bytes = std::min(age.bytes, kept.bytes);
    age.blocks -= blocks;
    age.bytes -= bytes;
    kept.blocks -= blocks;
    kept.bytes -= bytes;
  }
  std::sort(ages.begin(), ages.end(),
            [](const auto& a, const auto& b) { return a.age_class < b.age_class; });
}

}  // namespace

KeptBlocks kept_of(const model::Recording& recording, std::span<const std::size_t> sites) {
  const auto scan = std::find_if(recording.scans.rbegin(), recording.scans.rend(),
                                 [](const Scan& one) { return !one.kept.empty(); });
  KeptBlocks sum;
  if (scan == recording.scans.rend()) {
    return sum;
  }
  for (const std::size_t site : sites) {
    auto entry = std::lower_bound(
        scan->kept.begin(), scan->kept.end(), site,
        [](const model::Kept& kept, std::size_t wanted) { return kept.site < wanted; });
    for (; entry != scan->kept.end() && entry->site == site; ++entry) {
      sum.blocks += entry->blocks;
      sum.bytes += entry->bytes;
    }
  }
  return sum;
}

model::SiteHistory without(model::SiteHistory site, const KeptBlocks& kept) {
  KeptBlocks taken;
  for (model::Counters& at : site.at) {
    taken.blocks = std::max(taken.blocks, std::min(at.live_blocks, kept.blocks));
    taken.bytes = std::max(taken.bytes, std::min(at.live_bytes, kept.bytes));
    at.live_blocks -= std::min(at.live_blocks, taken.blocks);
    at.live_bytes -= std::min(at.live_bytes, taken.bytes);
    at.allocated_blocks -= std::min(at.allocated_blocks, taken.blocks);
    at.allocated_bytes -= std::min(at.allocated_bytes, taken.bytes);
  }
  take_ages(site.ages, kept);
  return site;
}

}  // namespace seep::rank
