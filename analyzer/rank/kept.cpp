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

KeptBlocks kept_in(const Scan& scan, std::span<const std::size_t> sites) {
  KeptBlocks sum;
  for (const std::size_t site : sites) {
    auto entry = std::lower_bound(
        scan.kept.begin(), scan.kept.end(), site,
        [](const model::Kept& kept, std::size_t wanted) { return kept.site < wanted; });
    for (; entry != scan.kept.end() && entry->site == site; ++entry) {
      sum.blocks += entry->blocks;
      sum.bytes += entry->bytes;
    }
  }
  return sum;
}

// Before the program began to end.
bool was_running(const model::Recording& recording, const Scan& scan) {
  return scan.when != model::ScanTime::kExit &&
         std::none_of(recording.moments.begin(), recording.moments.end(), [&](const auto& moment) {
           return moment.trigger == model::Trigger::kExit && moment.time_s <= scan.time_s;
         });
}

// What lived at the last moment before a scan and is not kept.
KeptBlocks held_at(const model::Recording& recording, const model::SiteHistory& site,
                   const Scan& scan, const KeptBlocks& kept) {
  const auto after = std::upper_bound(
      recording.moments.begin(), recording.moments.end(), scan.time_s,
      [](double time_s, const model::Moment& moment) { return time_s < moment.time_s; });
  if (after == recording.moments.begin()) {
    return {};
  }
  const model::Counters& live =
      site.at[static_cast<std::size_t>(after - recording.moments.begin()) - 1];
  return {live.live_blocks - std::min(live.live_blocks, kept.blocks),
          live.live_bytes - std::min(live.live_bytes, kept.bytes)};
}

// Whether two stacks begin with the same frames of a script, and have as many, at least one.
bool is_same_line(const model::Stacks& stacks, std::uint32_t a, std::uint32_t b) {
  const auto is_script = [&](std::uint32_t node) {
    return stacks.nodes[node].module == format::kScriptModule;
  };
  if (!is_script(a)) {
    return false;
  }
  while (a != b && is_script(a) && is_script(b) &&
         stacks.nodes[a].offset == stacks.nodes[b].offset) {
    a = stacks.nodes[a].parent;
    b = stacks.nodes[b].parent;
  }
  return a == b || (!is_script(a) && !is_script(b));
}

// By all that the lines of these sites made, in whatever way.
std::uint64_t released_by_lines(const model::Recording& recording,
                                std::span<const std::size_t> sites) {
  std::uint64_t released = 0;
  for (std::size_t other = 0; other < recording.sites.size(); ++other) {
    const model::SiteHistory& history = recording.sites[other];
    const bool counts = std::any_of(sites.begin(), sites.end(), [&](std::size_t site) {
      return other == site ||
             is_same_line(recording.stacks, recording.sites[site].node, history.node);
    });
    const model::Counters& last = history.at.back();
    released +=
        counts ? last.allocated_blocks - std::min(last.allocated_blocks, last.live_blocks) : 0;
  }
  return released;
}

}  // namespace

KeptBlocks kept_of(const model::Recording& recording, std::span<const std::size_t> sites,
                   const model::SiteHistory& together, SeenBy seen_by) {
  KeptBlocks kept;
  KeptBlocks held;
  for (const Scan& scan : recording.scans) {
    const bool ran = was_running(recording, scan);
    if (scan.kept.empty() || (!ran && seen_by == SeenBy::kScansWhileRunning)) {
      continue;  // no list was made, or too late
    }
    kept = kept_in(scan, sites);
    if (ran) {
      const KeptBlocks then = held_at(recording, together, scan, kept);
      held = {std::max(held.blocks, then.blocks), std::max(held.bytes, then.bytes)};
    }
  }
  const model::Counters& last = together.at.back();
  return {std::min(kept.blocks, last.live_blocks - std::min(last.live_blocks, held.blocks)),
          std::min(kept.bytes, last.live_bytes - std::min(last.live_bytes, held.bytes))};
}

bool may_fill_lists(const model::Recording& recording, std::span<const std::size_t> sites,
                    std::uint64_t kept_blocks) {
  constexpr std::uint64_t kFew = 100;  // of lists, of dictionaries and of floats: 80 to 100
  // What is cut may itself come from a list now and then, and was another line's then.
  return kept_blocks <= kFew || released_by_lines(recording, sites) >= kept_blocks / 2;
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
