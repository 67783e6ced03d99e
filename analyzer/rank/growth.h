// What the live bytes of a site did over a window of time that reaches to the end.
#pragma once

#include <array>
#include <cstddef>

#include "analyzer/model/report.h"
#include "analyzer/rank/curve.h"
#include "analyzer/rank/pace.h"

namespace seep::rank {

// `slope` is that of the live bytes. Everything that judges its shape is read from the number of
// blocks instead, where the gain consists of blocks, in bytes of the mean size of those gained:
// their sizes would only scatter.
struct Growth {
  double from_s = 0;
  double to_s = 0;
  bool in_blocks = false;  // the shape is that of the number of blocks
  bool lasting = false;    // and of them, of the level that is never left again
  double bytes = 0;        // gained over the window, by the line
  double blocks = 0;       // gained over the window, last level against first; counts as Curve's
  double births = 0;       // in the window; counts as Curve's
  double blocks_a_count = 1;
  double slope = 0;       // bytes a second, Theil–Sen over evenly spaced times
  double first_half = 0;  // of the shape, each half, bytes a second
  double second_half = 0;
  std::array<double, 4> quarters{};  // of the shape, gained in each quarter, bytes
  double noise = 0;                  // robust standard deviation of the shape around its line
  Pace pace;                         // of the shape
  std::size_t intervals = 0;         // between snapshots
  std::size_t grown_intervals = 0;   // of these, how many ended higher than they began
  double stall_s = 0;                // since the last new maximum of the shape
  double earlier_stall_s = 0;        // longest stretch without a new maximum before that one
  double last_step_s = 0;            // from the snapshot before the last new maximum to that

  [[nodiscard]] double length_s() const { return to_s - from_s; }
};

// Needs from < curve.end_s().
Growth measure_growth(const Curve& curve, double from);

// 95 % interval of the Theil–Sen slope of the window, bytes a second; in sample mode wider by what
// is uncertain in the gain itself.
model::Range slope_interval(const Curve& curve, double from);

}  // namespace seep::rank
