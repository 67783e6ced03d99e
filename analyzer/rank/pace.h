// When a gain came: evenly over a window, or more and more slowly. Time is read as a share of the
// window, so an even gain has its centre at one half, one that slows down before it.
#pragma once

#include <span>

namespace seep::rank {

struct Pace {
  double gain = 0;      // over the window, in the units of the curve
  double centre = 0.5;  // mean time of the gain, 0 to 1
  // So many independent arrivals of equal size would scatter as this gain does: for blocks that
  // come one by one at random their number, for batches the number of batches.
  double events = 0;

  // Standard deviation of the centre of so many arrivals at an even rate.
  [[nodiscard]] double centre_error() const;
};

// Over [from, end of t]; needs from < t.back(). `most_events` is what the events cannot exceed,
// whatever the scatter: the arrivals themselves.
Pace measure_pace(std::span<const double> t, std::span<const double> y, double from,
                  double most_events);

}  // namespace seep::rank
