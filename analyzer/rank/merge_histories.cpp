#include "analyzer/rank/merge_histories.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace seep::rank {
namespace {

void add(model::Counters& sum, const model::Counters& more) {
  sum.live_bytes += more.live_bytes;
  sum.live_blocks += more.live_blocks;
  sum.allocated_bytes += more.allocated_bytes;
  sum.allocated_blocks += more.allocated_blocks;
}

// Sites are sampled independently.
void add(model::Estimate& sum, const model::Estimate& more) {
  sum.sampled_blocks += more.sampled_blocks;
  sum.live_bytes_error = std::hypot(sum.live_bytes_error, more.live_bytes_error);
}

void add_ages(model::SiteHistory& sum, const model::SiteHistory& more) {
  std::map<std::uint32_t, model::AgeCount> classes;
  for (const model::SiteHistory* site : {static_cast<const model::SiteHistory*>(&sum), &more}) {
    for (const model::AgeCount& age : site->ages) {
      model::AgeCount& all = classes[age.age_class];
      all = {age.age_class, all.blocks + age.blocks, all.bytes + age.bytes};
    }
  }
  sum.ages.clear();
  for (const auto& [age_class, age] : classes) {
    sum.ages.push_back(age);
  }
}

}  // namespace

model::SiteHistory merge_histories(const model::Recording& recording,
                                   std::span<const std::size_t> sites) {
  model::SiteHistory sum = recording.sites[sites.front()];
  for (const std::size_t site : sites.subspan(1)) {
    const model::SiteHistory& more = recording.sites[site];
    sum.oldest_ms = std::max(sum.oldest_ms, more.oldest_ms);
    sum.inherited_blocks += more.inherited_blocks;
    sum.inherited_bytes += more.inherited_bytes;
    add_ages(sum, more);
    for (std::size_t i = 0; i < sum.at.size(); ++i) {
      add(sum.at[i], more.at[i]);
    }
    for (std::size_t i = 0; i < std::min(sum.estimates.size(), more.estimates.size()); ++i) {
      add(sum.estimates[i], more.estimates[i]);
    }
  }
  return sum;
}

}  // namespace seep::rank
