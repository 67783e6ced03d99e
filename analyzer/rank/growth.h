// What the live bytes of a site did over a window of time that reaches to the end.
#pragma once

#include <array>
#include <cstddef>

#include "analyzer/model/report.h"
#include "analyzer/rank/curve.h"

namespace seep::rank {

struct Growth {
  double from_s = 0;
  double to_s = 0;
  double bytes = 0;   // gained over the window, by the slope
  double blocks = 0;  // gained over the window, last level against first; counts as Curve's
  double blocks_a_count = 1;
  double slope = 0;       // bytes a second, Theil–Sen over evenly spaced times
  double first_half = 0;  // the same slope over each half
  double second_half = 0;
  std::array<double, 4> quarters{};  // bytes gained in each quarter
  double noise = 0;                  // robust standard deviation around the line, bytes
  std::size_t intervals = 0;         // between snapshots
  std::size_t grown_intervals = 0;   // of these, how many ended higher than they began
  double stall_s = 0;                // since the last new maximum
  double earlier_stall_s = 0;        // longest stretch without a new maximum before that one

  [[nodiscard]] double length_s() const { return to_s - from_s; }
};

// Needs from < curve.end_s().
Growth measure_growth(const Curve& curve, double from);

// 95 % interval of the Theil–Sen slope of the window, bytes a second; in sample mode wider by what
// is uncertain in the gain itself.
model::Range slope_interval(const Curve& curve, double from);

}  // namespace seep::rank
