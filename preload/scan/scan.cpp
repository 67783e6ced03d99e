#include "preload/scan/scan.h"

#include <algorithm>

#include "preload/runtime/clocks.h"
#include "preload/scan/chains.h"
#include "preload/scan/losses.h"
#include "preload/scan/marker.h"
#include "preload/scan/memory_map.h"
#include "preload/scan/nodes.h"
#include "preload/scan/roots.h"
#include "preload/scan/script_chains.h"

namespace seep::scan {
namespace {

using format::ScanProblem;

constexpr std::size_t kSitesByBytes = 64;  // whose holders are told
constexpr std::size_t kSitesByBlocks = 64;
constexpr unsigned kMostWaysOfSite = 8;
constexpr std::size_t kMostChains = (kSitesByBytes + kSitesByBlocks) * kMostWaysOfSite;
constexpr std::uint64_t kManyBlocks = 1000000;
constexpr std::size_t kMostHeldByEnd = 1 << 20;
constexpr std::size_t kMostTrees = 65536;  // pairs of sites that are lost together

class Scan {
 public:
  Scan(const Question& question, Answer& answer)
      : question_(question),
        answer_(answer),
        nodes_(*question.blocks, *question.pools),
        deadline_(question.deadline_ns) {}

  ScanProblem run();

 private:
  bool enter_blocks();
  bool enter_objects();
  bool is_gone(const table::Block& object, const Pages<table::Range>& maps) const;
  void add_figures(const table::Block& block);
  bool choose_sites();
  ScanProblem mark();
  bool hold_by_end(Marker& marker);
  ScanProblem list_losses();
  ScanProblem list_chains();
  void list_script_chains();
  void add_chains(const HolderCounts::Count* begin, const HolderCounts::Count* end);
  void add_trees(LossFinder& losses);

  Question question_;
  Answer& answer_;
  Nodes nodes_;
  MemoryMap memory_;
  Ways ways_;
  WayCounts counts_{ways_};
  Deadline deadline_;
  Pages<SiteFigures> figures_;
  Pages<std::uint32_t> chosen_;   // sites whose holders are told
  Pages<std::uintptr_t> moving_;  // blocks that realloc moves right now
};

ScanProblem Scan::run() {
  constexpr std::size_t kMostMoving = 65536;
  if (!nodes_.map() || !counts_.map(question_.site_count) || !figures_.map(question_.site_count) ||
      !moving_.map(kMostMoving)) {
    return ScanProblem::kNoMemory;
  }
  if (!memory_.read()) {
    return ScanProblem::kUnreadableMaps;
  }
  if (!enter_blocks() || !enter_objects() || !choose_sites() ||
      !ways_.map(answer_.record.blocks >= kManyBlocks)) {
    return ScanProblem::kNoMemory;
  }
  const ScanProblem marked = mark();
  if (marked != ScanProblem::kNone) {
    return marked;
  }
  const ScanProblem chained = list_chains();
  const ScanProblem listed = chained != ScanProblem::kNone ? chained : list_losses();
  if (listed == ScanProblem::kNone) {
    list_script_chains();
  }
  return listed;
}

bool Scan::enter_blocks() {
  bool done = true;
  question_.blocks->walk([&](const table::Block& block, bool in_transit) {
    done = done && nodes_.add_block(block) && (!in_transit || moving_.add(block.address));
    add_figures(block);
  });
  // A block that realloc has just made has no record yet, and already holds what the old one held.
  question_.knows_all_blocks = question_.knows_all_blocks && moving_.size() == 0;
  return done;
}

void Scan::add_figures(const table::Block& block) {
  ++answer_.record.blocks;
  if (block.site < question_.site_count) {
    figures_[block.site].bytes += block.size;
    figures_[block.site].blocks += 1;
  }
}

bool Scan::enter_objects() {
  bool done = true;
  if (question_.pools->was_used() && !question_.pools_have_ended) {
    Pages<table::Range> maps;
    std::size_t count = 1;
    question_.ranges->walk([&count](const table::Range&) { ++count; });
    done = maps.map(count);
    question_.ranges->walk([&maps](const table::Range& range) { maps.add(range); });
    question_.pools->walk([&](const table::Block& object, bool gone) {
      if (done && !gone && !is_gone(object, maps)) {
        done = nodes_.add_object(object);
        add_figures(object);
      }
    });
  }
  if (nodes_.low() < nodes_.high()) {
    memory_.note_holes(nodes_.low(), nodes_.high());
  }
  return done;
}

// Pools are released without a word about their objects. What is not readable now, or belongs to a
// block or a map that is younger, is an object's no more.
bool Scan::is_gone(const table::Block& object, const Pages<table::Range>& maps) const {
  const std::uintptr_t end = object.address + bytes_of(object);
  const Mapping* mapping = memory_.find(object.address);
  if (mapping == nullptr || !mapping->readable || nodes_.is_overlaid(object)) {
    return true;
  }
  const table::Range* const range = std::partition_point(
      maps.begin(), maps.end(), [&](const table::Range& map) { return map.end <= object.address; });
  return range != maps.end() && range->begin < end && range->birth > object.birth;
}

// Those with most bytes, and those with most blocks.
bool Scan::choose_sites() {
  Pages<std::uint32_t> sites;
  if (!sites.map(question_.site_count) || !chosen_.map(kSitesByBytes + kSitesByBlocks)) {
    return false;
  }
  for (std::uint32_t site = 0; site < question_.site_count; ++site) {
    if (figures_[site].blocks != 0) {
      sites.add(site);
    }
  }
  const auto choose = [&](std::size_t most, auto figure) {
    std::uint32_t* const end = sites.begin() + std::min(most, sites.size());
    std::partial_sort(sites.begin(), end, sites.end(), [&](std::uint32_t a, std::uint32_t b) {
      return figure(figures_[a]) > figure(figures_[b]);
    });
    std::for_each(sites.begin(), end, [this](std::uint32_t site) { chosen_.add(site); });
  };
  choose(kSitesByBytes, [](const SiteFigures& figures) { return figures.bytes; });
  choose(kSitesByBlocks, [](const SiteFigures& figures) { return figures.blocks; });
  std::for_each(chosen_.begin(), chosen_.end(),
                [this](std::uint32_t site) { counts_.choose(site); });
  return true;
}

ScanProblem Scan::mark() {
  Marker marker(nodes_, memory_, ways_, counts_, deadline_);
  RootFinder roots(question_, nodes_, memory_);
  if (!marker.map(answer_.record.blocks >= kManyBlocks) || !roots.find()) {
    return ScanProblem::kNoMemory;
  }
  bool in_time = roots.mark(marker, deadline_);
  for (const std::uintptr_t moving : moving_) {
    marker.add_address(moving, kOtherRoot);
  }
  in_time = in_time && marker.run() && (!hold_by_end(marker) || marker.run());
  answer_.record.root_bytes = roots.root_bytes();
  return in_time ? ScanProblem::kNone : ScanProblem::kTimeLimit;
}

// What is left, and what the interpreter may hold by a pointer that leads elsewhere. False:
// nothing.
bool Scan::hold_by_end(Marker& marker) {
  if (question_.script == nullptr || question_.script->may_be_held_by_end == nullptr) {
    return false;
  }
  Pages<std::uintptr_t> held;
  if (!held.map(kMostHeldByEnd)) {
    return false;
  }
  nodes_.visit_all(/*marked=*/false, [&](NodeId node) {
    const std::uintptr_t begin = node.start();
    const std::uintptr_t end = begin + nodes_.extent_of(node, nodes_.info_of(node));
    return !node.is_object() || !question_.script->may_be_held_by_end({begin, end}) ||
           held.add(begin);
  });
  for (const std::uintptr_t begin : held) {
    marker.add_address(begin, kOtherRoot);
  }
  return held.size() != 0;
}

ScanProblem Scan::list_losses() {
  LossFinder losses(nodes_, memory_, deadline_);
  switch (losses.find(question_.site_count, question_.fork_tick)) {
    case LossFinder::End::kTooLate:
      return ScanProblem::kTimeLimit;
    case LossFinder::End::kNoMemory:
      return ScanProblem::kNoMemory;
    case LossFinder::End::kDone:
      break;
  }
  if (!losses.any()) {
    return ScanProblem::kNone;
  }
  if (!answer_.unreachable.map(question_.site_count)) {
    return ScanProblem::kNoMemory;
  }
  for (std::uint32_t site = 0; site < question_.site_count; ++site) {
    const LossTally& tally = losses.tally(site);
    if (tally.direct_blocks + tally.indirect_blocks != 0) {
      answer_.unreachable.add({site, 0, tally.direct_blocks, tally.direct_bytes,
                               tally.indirect_blocks, tally.indirect_bytes});
    }
  }
  add_trees(losses);
  return ScanProblem::kNone;
}

// As chains that begin with a block: what is lost with direct losses of its site. Of all lost
// blocks of the site, the larger counts first.
void Scan::add_trees(LossFinder& losses) {
  constexpr std::uint64_t kMost = UINT32_MAX;
  std::uint32_t site = 0;
  unsigned heads = 0;
  for (const HolderCounts::Count& count : losses.heads()) {
    heads = count.site == site ? heads + 1 : 1;
    site = count.site;
    if (heads > kMostWaysOfSite ||
        answer_.chains.size() + kMostChains >= answer_.chains.capacity()) {
      continue;
    }
    const LossTally& tally = losses.tally(site);
    const std::uint64_t all = tally.direct_blocks + tally.indirect_blocks;
    answer_.chains.add({site, static_cast<std::uint32_t>(answer_.links.size()), 1,
                        static_cast<std::uint32_t>(std::min(all, kMost)),
                        std::min(count.blocks, kMost)});
    answer_.links.add(
        {static_cast<std::uint32_t>(format::LinkKind::kBlock), count.holder, 0, 0, 0});
  }
}

ScanProblem Scan::list_chains() {
  const Pages<HolderCounts::Count>& counts = counts_.sort();
  if (!answer_.chains.map(2 * kMostChains + kMostTrees) ||
      !answer_.links.map(2 * kMostChains * Ways::kMostLinks + kMostTrees)) {
    return ScanProblem::kNoMemory;
  }
  for (const HolderCounts::Count* begin = counts.begin(); begin != counts.end();) {
    const HolderCounts::Count* end = std::find_if(
        begin, counts.end(),
        [begin](const HolderCounts::Count& count) { return count.site != begin->site; });
    add_chains(begin, end);
    begin = end;
  }
  return ScanProblem::kNone;
}

// The counts of one site, the largest first.
void Scan::add_chains(const HolderCounts::Count* begin, const HolderCounts::Count* end) {
  std::uint64_t all = 0;
  std::for_each(begin, end, [&](const HolderCounts::Count& count) { all += count.blocks; });
  for (unsigned i = 0; i < kMostWaysOfSite && begin != end; ++i, ++begin) {
    format::LinkRecord links[Ways::kMostLinks];
    const unsigned count = ways_.list(begin->holder, links);
    answer_.chains.add({begin->site, static_cast<std::uint32_t>(answer_.links.size()), count,
                        static_cast<std::uint32_t>(std::min<std::uint64_t>(all, UINT32_MAX)),
                        begin->blocks});
    for (unsigned link = 0; link < count; ++link) {
      answer_.links.add(links[link]);
    }
  }
}

// What is found is told beside the chains, if there is time left: nothing else depends on it.
void Scan::list_script_chains() {
  if (question_.script == nullptr || question_.pools_have_ended) {
    return;
  }
  ScriptWalk walk(*question_.script, nodes_, memory_, deadline_);
  if (!walk.map(question_.site_count)) {
    return;
  }
  std::for_each(chosen_.begin(), chosen_.end(), [&](std::uint32_t site) { walk.choose(site); });
  tell_script(walk, figures_, kMostWaysOfSite, question_.site_count, answer_);
}

}  // namespace

void run(const Question& question, Answer& answer) {
  const std::uint64_t begin = runtime::clock_ns(CLOCK_MONOTONIC);
  const ScanProblem problem = Scan(question, answer).run();
  answer.record.problem = static_cast<std::uint32_t>(problem);
  answer.record.complete = problem == ScanProblem::kNone ? 1 : 0;
  answer.record.scan_ns = runtime::clock_ns(CLOCK_MONOTONIC) - begin;
  if (problem != ScanProblem::kNone) {
    answer.unreachable.unmap();
  }
}

}  // namespace seep::scan
