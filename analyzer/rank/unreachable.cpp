#include "analyzer/rank/unreachable.h"

#include <algorithm>
#include <unordered_map>

#include "analyzer/rank/rank.h"

namespace seep::rank {
namespace {

using model::Scan;
using model::Unreachable;

// Fewer blocks, or in fewer intervals between snapshots, may have been lost in one go.
constexpr std::uint64_t kLeastRepeats = 3;
// Lost blocks of more than this share of what is alive at a growing site are its growth.
constexpr double kGrowthShare = 0.5;
// A site that is lost as a whole but for what was about to be released.
constexpr double kWholeShare = 0.9;
// Of a site's lost blocks, those that hang on blocks of another one: they are that one's tree.
constexpr double kTreeShare = 0.9;

const Unreachable* find(const Scan& scan, std::uint32_t site) {
  const auto found =
      std::lower_bound(scan.unreachable.begin(), scan.unreachable.end(), site,
                       [](const Unreachable& entry, std::uint32_t s) { return entry.site < s; });
  return found != scan.unreachable.end() && found->site == site ? &*found : nullptr;
}

// In how many intervals between snapshots blocks were made, the time before the first included.
std::uint64_t intervals_with_births(const model::SiteHistory& site) {
  std::uint64_t intervals = 0;
  std::uint64_t before = 0;
  for (const model::Counters& at : site.at) {
    intervals += at.allocated_blocks > before ? 1 : 0;
    before = std::max(before, at.allocated_blocks);
  }
  return intervals;
}

// Between the scan that is made as the exit begins and the last one only destructors run.
bool only_destructors_run_after(const std::vector<Scan>& scans, std::size_t i) {
  return scans[i].when == model::ScanTime::kSnapshot && i + 1 < scans.size() &&
         scans[i + 1].when == model::ScanTime::kExit;
}

bool grew_between_scans(const model::Recording& recording, std::uint32_t site) {
  std::optional<std::uint64_t> before;
  for (std::size_t i = 0; i < recording.scans.size(); ++i) {
    const Scan& scan = recording.scans[i];
    if (!scan.complete || only_destructors_run_after(recording.scans, i)) {
      continue;
    }
    const Unreachable* entry = find(scan, site);
    const std::uint64_t blocks = entry != nullptr ? entry->blocks() : 0;
    if (before && *before > 0 && blocks > *before) {
      return true;
    }
    before = blocks;
  }
  return false;
}

// Which site's lost blocks lead to those of other sites, as far as the scan tells.
class Trees {
 public:
  explicit Trees(const Scan& scan) {
    std::size_t direct_sites = 0;
    for (const Unreachable& entry : scan.unreachable) {
      if (entry.direct_blocks > 0) {
        ++direct_sites;
        only_direct_ = entry.site;
      }
    }
    if (direct_sites != 1) {
      only_direct_.reset();
    }
    read_chains(scan);
  }

  // None where the owner is itself lost with another site: then neither is the other's tree.
  [[nodiscard]] std::optional<std::uint32_t> owner_of(const Unreachable& entry) const {
    if (const auto found = owners_.find(entry.site); found != owners_.end()) {
      return owners_.count(found->second) == 0 ? std::optional(found->second) : std::nullopt;
    }
    return entry.direct_blocks == 0 ? only_direct_ : std::nullopt;
  }

 private:
  // A chain that begins with a block is of lost blocks.
  void read_chains(const Scan& scan) {
    for (const model::Chain& chain : scan.chains) {
      const model::Link& first = scan.links[chain.links_begin];
      const double least = kTreeShare * static_cast<double>(chain.sampled_blocks);
      if (first.kind == model::LinkKind::kBlock && first.site != chain.site &&
          static_cast<double>(chain.blocks) >= least) {
        owners_.emplace(chain.site, first.site);
      }
    }
  }

  std::unordered_map<std::uint32_t, std::uint32_t> owners_;
  std::optional<std::uint32_t> only_direct_;
};

Lost lost_of(const model::Recording& recording, const Scan& scan, const Trees& trees,
             std::uint32_t site) {
  Lost lost;
  lost.at_exit = scan.when == model::ScanTime::kExit;
  const Unreachable* entry = find(scan, site);
  if (entry == nullptr || entry->blocks() == 0) {
    return lost;
  }
  lost.blocks = entry->blocks();
  lost.bytes = entry->bytes();
  lost.direct_blocks = entry->direct_blocks;
  lost.direct_bytes = entry->direct_bytes;
  lost.live_bytes = entry->live_bytes;
  lost.oldest_ms = entry->oldest_ms;
  lost.recurs = grew_between_scans(recording, site) ||
                (lost.blocks >= kLeastRepeats &&
                 intervals_with_births(recording.sites[site]) >= kLeastRepeats);
  lost.lost_with = trees.owner_of(*entry);
  lost.is_leak = !lost.lost_with && (lost.at_exit || lost.recurs);
  return lost;
}

}  // namespace

const model::Scan* last_complete_scan(const model::Recording& recording) {
  const auto found = std::find_if(recording.scans.rbegin(), recording.scans.rend(),
                                  [](const Scan& scan) { return scan.complete; });
  return found == recording.scans.rend() ? nullptr : &*found;
}

std::uint64_t add_capped(std::uint64_t a, std::uint64_t b) {
  return a > ~b ? ~std::uint64_t{0} : a + b;
}

std::uint64_t unreachable_bytes(const Scan& scan) {
  std::uint64_t sum = 0;
  for (const Unreachable& entry : scan.unreachable) {
    sum = add_capped(sum, entry.bytes());
  }
  return sum;
}

bool was_lost(const model::Recording& recording, std::uint32_t site) {
  const Scan* scan = last_complete_scan(recording);
  const Unreachable* entry = scan != nullptr ? find(*scan, site) : nullptr;
  return entry != nullptr && entry->blocks() > 0;
}

void judge_unreachable(const std::vector<model::Recording>& recordings,
                       std::vector<RankedSite>& ranked) {
  std::vector<const Scan*> scans;
  std::vector<Trees> trees;
  for (const model::Recording& recording : recordings) {
    scans.push_back(last_complete_scan(recording));
    trees.emplace_back(scans.back() != nullptr ? *scans.back() : Scan());
  }
  for (RankedSite& site : ranked) {
    const Scan* scan = scans[site.recording];
    if (scan == nullptr) {
      continue;
    }
    const Lost lost = lost_of(recordings[site.recording], *scan, trees[site.recording],
                              static_cast<std::uint32_t>(site.site));
    site.leak = lost.is_leak || (site.leak && !(lost.lost_with && lost.is_whole()));
    site.lost = lost;
  }
}

bool loss_matters(const Lost& lost, bool grows) {
  const bool is_the_growth =
      static_cast<double>(lost.bytes) >= kGrowthShare * static_cast<double>(lost.live_bytes);
  return lost.blocks > 0 && (is_the_growth || (!grows && lost.is_leak));
}

bool Lost::is_whole() const {
  return blocks > 0 && static_cast<double>(bytes) >= kWholeShare * static_cast<double>(live_bytes);
}

void Lost::add(const Lost& other) {
  blocks = add_capped(blocks, other.blocks);
  bytes = add_capped(bytes, other.bytes);
  direct_blocks = add_capped(direct_blocks, other.direct_blocks);
  direct_bytes = add_capped(direct_bytes, other.direct_bytes);
  live_bytes = add_capped(live_bytes, other.live_bytes);
  oldest_ms = std::max(oldest_ms, other.oldest_ms);
  at_exit = at_exit || other.at_exit;
  recurs = recurs || other.recurs;
  is_leak = is_leak || other.is_leak;
  lost_with = lost_with == other.lost_with ? lost_with : std::nullopt;
}

}  // namespace seep::rank
