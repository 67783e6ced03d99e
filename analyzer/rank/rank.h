// From recordings to ranked suspects, without names: which sites grow, how fast, and why we say so.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/unreachable.h"

namespace seep::rank {

struct Options {
  double warmup_s = 0;  // snapshots before this are left out of the judgement
};

// A site of one recording with its verdict.
struct RankedSite {
  std::size_t recording = 0;  // index into the input
  std::size_t site = 0;       // index into Recording::sites
  model::Behaviour behaviour = model::Behaviour::kUnknown;
  bool leak = false;
  std::optional<double> confidence;  // that `leak` is right, 0 to 1
  std::string why;
  bool has_growth = false;  // a growing site: its growth and the interval in the window judged
  double growth_from_s = 0;
  double growth_bytes_per_s = 0;
  model::Range growth_range;  // 95 %
  std::optional<Lost> lost;   // unreachable memory; null where no complete scan was made
};

// All sites with anything allocated or lost, most suspicious first.
std::vector<RankedSite> rank_sites(const std::vector<model::Recording>& recordings,
                                   const Options& options);

// The verdict on `sites` of one recording (indices into Recording::sites; at least one) taken as
// one site: what each shows too little of, they may show together. RankedSite::site is the first.
RankedSite rank_together(const std::vector<model::Recording>& recordings, std::size_t recording,
                         std::span<const std::size_t> sites, const Options& options);

// The growth of `site` (an index into Recording::sites) over all moments after the warm-up,
// whatever its verdict, bytes a second. nullopt when the recording is too short for a slope.
std::optional<double> growth_bytes_per_s(const model::Recording& recording, std::size_t site,
                                         const Options& options);

// The slowest leak that would have been called one in this recording: at a site of its own, in
// blocks small enough that `kLeastSurvivors` of them came about. A leak behind a site that also
// turns over must exceed that site's noise. nullopt when the recording is too short for any
// verdict. In sample mode, the slowest that nearly every run would have shown.
std::optional<double> smallest_leak_bytes_per_s(const model::Recording& recording,
                                                const Options& options);

}  // namespace seep::rank
