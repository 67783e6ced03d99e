#include "analyzer/report/containers.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "analyzer/model/stack_key.h"
#include "analyzer/report/blame.h"

namespace seep::report {
namespace {

constexpr std::size_t kMostContainers = 100;
constexpr std::uint64_t kMostBlocks = 2;  // at any moment, at a site of one block

bool may_be_of_one_block(const model::SiteHistory& site) {
  return site.kind == model::SiteKind::kHeap && site.inherited_blocks == 0 &&
         site.estimates.empty() && site.at.back().allocated_blocks != 0 &&
         std::all_of(site.at.begin(), site.at.end(), [](const model::Counters& counters) {
           return counters.live_blocks <= kMostBlocks;
         });
}

// Of the innermost line of a script and what the interpreter did for it, since a container is
// enlarged whoever calls that line; without any, of the whole stack.
std::uint64_t place_of(const model::Recording& recording, std::size_t index, std::uint32_t node,
                       const NodeNames& names) {
  const model::Stacks& stacks = recording.stacks;
  std::uint64_t place = names.interpreter_part(index, node);
  for (; node != 0; node = stacks.nodes[node].parent) {
    const model::Node& here = stacks.nodes[node];
    place = model::combine_keys(place, names.instruction(index, node));
    if (here.language != model::Language::kNative &&
        !stacks.script_frames[here.offset].file.empty()) {
      break;
    }
  }
  return place;
}

void add(std::vector<model::Counters>& sum, const std::vector<model::Counters>& site) {
  sum.resize(site.size());
  for (std::size_t i = 0; i < site.size(); ++i) {
    sum[i].live_bytes += site[i].live_bytes;
    sum[i].live_blocks += site[i].live_blocks;
    sum[i].allocated_bytes += site[i].allocated_bytes;
    sum[i].allocated_blocks += site[i].allocated_blocks;
  }
}

void find_in(const model::Recording& recording, std::size_t index, const NodeNames& names,
             std::vector<FoundContainer>& found) {
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> places;
  for (std::uint32_t i = 0; i < recording.sites.size(); ++i) {
    const model::SiteHistory& site = recording.sites[i];
    if (!site.at.empty() && may_be_of_one_block(site)) {
      places[place_of(recording, index, site.node, names)].push_back(i);
    }
  }
  for (auto& [key, sites] : places) {
    std::vector<model::Counters> sum;
    for (const std::uint32_t site : sites) {
      add(sum, recording.sites[site].at);
    }
    if (auto enlarged = rank::measure_enlarged(sum)) {
      found.push_back({index, std::move(sites), std::move(sum), std::move(*enlarged)});
    }
  }
}

// One that is filled at a constant rate has become larger in the second half of any time.
bool still_grows(const FoundContainer& container, const model::Recording& recording) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < container.at.size(); ++i) {
    last = container.at[i].allocated_blocks > container.at[i - 1].allocated_blocks ? i : last;
  }
  const double begin = recording.moments.front().time_s;
  const double end = recording.moments.back().time_s;
  return recording.moments[last].time_s >= (begin + end) / 2;
}

bool is_part_of(const FoundContainer& container, const Group& group, const Grouping& input) {
  return std::any_of(group.members.begin(), group.members.end(), [&](std::size_t member) {
    const rank::RankedSite& site = input.ranked[member];
    return site.recording == container.recording &&
           std::find(container.sites.begin(), container.sites.end(), site.site) !=
               container.sites.end();
  });
}

bool is_in_step(const FoundContainer& container, const model::Suspect& suspect,
                std::size_t first_snapshot) {
  std::vector<std::uint64_t> blocks;
  for (const std::size_t moment : container.enlarged.seen) {
    blocks.push_back(suspect.series_blocks[first_snapshot + moment]);
  }
  return rank::grew_in_step(container.enlarged, container.at, blocks);
}

}  // namespace

std::vector<FoundContainer> find_containers(const std::vector<model::Recording>& recordings,
                                            const NodeNames& names) {
  std::vector<FoundContainer> found;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    find_in(recordings[i], i, names, found);
  }
  std::sort(found.begin(), found.end(), [](const FoundContainer& a, const FoundContainer& b) {
    return std::tuple(b.enlarged.block_bytes, a.recording, a.sites.front()) <
           std::tuple(a.enlarged.block_bytes, b.recording, b.sites.front());
  });
  found.resize(std::min(found.size(), kMostContainers));
  return found;
}

void add_containers(model::Suspect& suspect, const Group& group, const Grouping& input,
                    const std::vector<FoundContainer>& found,
                    const std::vector<std::size_t>& first_snapshot) {
  std::vector<std::size_t> in_step;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const FoundContainer& container = found[i];
    if (is_part_of(container, group, input)) {
      suspect.containers.push_back(i);
    } else if (suspect.leak &&
               is_in_step(container, suspect, first_snapshot[container.recording])) {
      in_step.push_back(i);
    }
  }
  suspect.containers.insert(suspect.containers.end(), in_step.begin(), in_step.end());
}

std::vector<model::Container> name_containers(const std::vector<FoundContainer>& found,
                                              const std::vector<model::Recording>& recordings,
                                              symbolize::Symbolizer& symbolizer) {
  std::vector<model::Container> containers;
  for (const FoundContainer& container : found) {
    const model::Recording& recording = recordings[container.recording];
    const model::ReportStack stack = without_allocator(
        symbolizer.stack(recording.stacks, recording.sites[container.sites.front()].node));
    model::Container named;
    if (!stack.empty()) {
      named.frame = stack[blamed_frame(stack)];
    }
    named.process = recording.id;
    named.block_bytes = container.enlarged.block_bytes;
    named.doublings = container.enlarged.doublings;
    named.still_grows = still_grows(container, recording);
    containers.push_back(std::move(named));
  }
  return containers;
}

}  // namespace seep::report
