// The figures of one site as functions of time, and the small statistics that judge them.
// Snapshots are unevenly spaced, so nothing here reasons by index: values are looked up by time.
#pragma once

#include <span>
#include <vector>

#include "analyzer/model/recording.h"

namespace seep::rank {

// One value a moment; `t` ascends, in seconds. In sample mode blocks are counted as they were
// recorded, since that is what chance acts on: a rule about so many blocks is one about so many
// samples. `blocks_a_count` says for how many blocks of the program each stands, on average.
struct Curve {
  static constexpr double kNearlyOne = 1.5;

  std::span<const double> t;
  std::vector<double> bytes;   // alive
  std::vector<double> blocks;  // alive
  std::vector<double> births;  // blocks allocated since the start
  double blocks_a_count = 1;
  std::vector<double> variance = {};  // of `bytes`, in sample mode, else empty

  // Most blocks were recorded: nearly as good as exact.
  [[nodiscard]] bool counts_are_blocks() const { return blocks_a_count < kNearlyOne; }

  [[nodiscard]] double begin_s() const { return t.front(); }
  [[nodiscard]] double end_s() const { return t.back(); }
  [[nodiscard]] double length_s() const { return t.back() - t.front(); }
};

// The moments from `first` on of a site; `t` holds the times of just those.
Curve curve_of(const model::SiteHistory& site, std::span<const double> t, std::size_t first);

// Value at time `when`, linear between two moments, constant outside. `t` is not empty.
double value_at(std::span<const double> t, std::span<const double> y, double when);

// `points` values evenly spaced in time over [from, to], both ends included; points >= 2.
std::vector<double> resample(std::span<const double> t, std::span<const double> y, double from,
                             double to, std::size_t points);

// The median; 0 when empty. Takes a copy, since it reorders.
double median(std::vector<double> values);

}  // namespace seep::rank
