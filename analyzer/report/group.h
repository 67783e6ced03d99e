// Sites that are one cause become one suspect.
//
// A path is one call stack, over all processes of one program. Paths that leak are grouped at the
// frame where their growth gathers (causes.h); what does not leak, by function and behaviour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/rank/enlarged.h"
#include "analyzer/rank/rank.h"
#include "analyzer/report/node_names.h"

namespace seep::report {

// The sites of one kind with one stack.
struct Path {
  std::vector<std::size_t> members;  // into the ranked sites, most suspicious first; never empty
  std::uint64_t key = 0;             // of its stack: the same in every run of the same builds
  std::uint64_t program = 0;
  model::SiteKind kind = model::SiteKind::kHeap;
  bool leak = false;
  bool joined = false;  // no leak by itself, but of one whose allocation it shares
  std::uint64_t live_bytes = 0;
  std::uint64_t most_bytes = 0;  // that were live at one moment
  std::uint64_t live_blocks = 0;
  std::uint64_t allocated_blocks = 0;
  std::uint64_t freed_blocks = 0;
  Culprit blame;  // depth 0: by names alone (blamed_frame)
};

struct Group {
  // Largest first, and where all is released, what once was largest; never empty.
  std::vector<Path> paths;
  std::vector<std::size_t> members;  // of all paths, most suspicious first
  bool leak = false;
  // Of a leak: the verdict for each process that shows it, most suspicious first.
  std::vector<rank::RankedSite> verdicts;
  double growth_low = 0;         // lower bounds of all growth, bytes a second
  std::uint64_t lost_bytes = 0;  // unreachable
  std::uint64_t live_bytes = 0;
};

struct Grouping {
  const std::vector<model::Recording>& recordings;
  const std::vector<rank::RankedSite>& ranked;
  const rank::Options& rank;
};

// What is said of the group: of a leak, for the process that shows it most.
rank::RankedSite leading_verdict(const Group& group, const Grouping& input);

// Groups in the order of design §2.3: leaks first, then lower bound of growth, unreachable bytes,
// live bytes.
std::vector<Group> group_sites(const Grouping& input, NodeNames& names);

// The same with each site as a group of its own.
std::vector<Group> each_site(const Grouping& input);

}  // namespace seep::report
