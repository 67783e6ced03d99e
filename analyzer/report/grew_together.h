// Whether two parts of memory grew at the same times, as the parts of one thing do.
#pragma once

#include <cstddef>
#include <vector>

#include "analyzer/report/group.h"

namespace seep::report {

// Live bytes at every moment, recording after recording.
using LiveSeries = std::vector<std::vector<double>>;

// The sum of the paths with these indices.
LiveSeries live_series(const Grouping& input, const std::vector<Path>& paths,
                       const std::vector<std::size_t>& among);

// In each recording where both grew they did so at the same times, within what a container that
// enlarges by doubling is ahead of or behind its entries: never had one gained more than a quarter
// of its all while the other had less than a fifth of that.
bool grew_together(const LiveSeries& a, const LiveSeries& b);

}  // namespace seep::report
