// Shapes of a site that is not growing, and the windows in which growth is looked for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/rank/curve.h"

namespace seep::rank {

// Nearly all blocks were born within a short stretch.
struct Burst {
  double begin_s = 0;
  double end_s = 0;
};
std::optional<Burst> find_burst(const Curve& curve);

// How often at least half of what had been built up over several snapshots was released again.
unsigned count_drops(const Curve& curve);

// Blocks that died since `from`.
double deaths_since(const Curve& curve, double from);

// It rose to its present level over a visible time and then stayed there: when it got there.
std::optional<double> rise_ended(const Curve& curve);

// Starts of the windows to look for growth in: the whole life; without a start-up burst; from the
// point where a late rise began. Each is later than the one before.
std::vector<double> growth_windows(const Curve& curve);

}  // namespace seep::rank
