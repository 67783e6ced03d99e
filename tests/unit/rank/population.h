// Builds the history of an allocation site from single births and deaths, so that counters, ages
// and times agree as they do in a real recording.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "analyzer/model/recording.h"

namespace seep::rank {

inline constexpr double kForever = std::numeric_limits<double>::infinity();

struct Block {
  double born_s = 0;
  double died_s = kForever;
  std::uint64_t bytes = 64;
};

// Times as `SEEP_INTERVAL=auto` keeps 64 of them: half evenly over the life, half as the latest.
std::vector<double> auto_times(double length_s);

// Every `step_s` from 0 to `length_s`.
std::vector<double> even_times(double length_s, double step_s);

// The site as snapshots at `times` see it.
model::SiteHistory history_of(const std::vector<Block>& blocks, const std::vector<double>& times);

// The same as sample mode sees it: each block is recorded with the probability 1 - e^(-size/mean).
model::SiteHistory sampled_history_of(const std::vector<Block>& blocks,
                                      const std::vector<double>& times, double mean_bytes,
                                      unsigned seed);

// A recording of the given sites, with totals.
model::Recording recording_of(std::vector<model::SiteHistory> sites,
                              const std::vector<double>& times);

}  // namespace seep::rank
