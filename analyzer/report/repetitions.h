// Repetitions of a short program in a report: what each call path held at the end of each.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/rank.h"

namespace seep::report {

// Live bytes at the end by call path (program, stack, kind), in the process that held most there.
using EndLevels = std::unordered_map<std::uint64_t, std::uint64_t>;
EndLevels end_levels(const std::vector<model::Recording>& recordings);

struct Repetitions {
  std::vector<double> work;       // of each, ascending; empty: there are no repetitions
  std::vector<EndLevels> levels;  // the same size; the last is what the report is about
};

// One entry for each repetition.
std::vector<std::uint64_t> levels_of(const Repetitions& repetitions, std::uint64_t key);

// The keys that EndLevels has, for each of `ranked`.
std::vector<std::uint64_t> path_keys(const std::vector<model::Recording>& recordings,
                                     const std::vector<rank::RankedSite>& ranked);

// Replaces verdicts by growth over repetitions: a site whose level grows with the work leaks. One
// that grew in time only does not, and one of which the curve could not tell is told by its levels.
// What is unreachable stays a leak. Sorts the leaks to the front again.
void judge_by_repetitions(const Repetitions& repetitions,
                          const std::vector<model::Recording>& recordings,
                          std::vector<rank::RankedSite>& ranked);

// Cause, sentence and action. Needs the totals and the suspects.
model::Conclusion conclude(const Repetitions& repetitions, const model::Report& report);

// All bytes that the processes ever allocated: a measure of the work that was done.
std::uint64_t allocated_bytes(const std::vector<model::Recording>& recordings);

}  // namespace seep::report
