#include "analyzer/rank/growth.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "analyzer/model/theil_sen.h"

namespace seep::rank {
namespace {

// Evenly spaced points a window is read at: a multiple of four, and one. Half of the 64 snapshots
// that are kept by default cover the whole life evenly, so more points would only interpolate.
constexpr std::size_t kPoints = 33;
constexpr std::size_t kQuarter = (kPoints - 1) / 4;

// Growth of so few blocks is that of their sizes; and so is growth of which the number of blocks,
// at their mean size, makes less than this share.
constexpr double kFewBlocks = 8;
constexpr double kMostlyBlocks = 0.5;
// Deaths as a share of the births where a site turns over.
constexpr double kTurnover = 0.5;

// 1.4826 · MAD estimates the standard deviation of normal noise.
constexpr double kMadToSigma = 1.4826;

struct Grid {
  std::vector<double> t;
  std::vector<double> y;
};

Grid grid_of(std::span<const double> t, std::span<const double> y, double from) {
  Grid grid;
  grid.y = resample(t, y, from, t.back(), kPoints);
  const double step = (t.back() - from) / static_cast<double>(kPoints - 1);
  for (std::size_t i = 0; i < kPoints; ++i) {
    grid.t.push_back(from + step * static_cast<double>(i));
  }
  return grid;
}

double slope_of(const Grid& grid, std::size_t first, std::size_t count) {
  return model::theil_sen_slope(std::span(grid.t).subspan(first, count),
                                std::span(grid.y).subspan(first, count));
}

// The level around point i: the median of it and its neighbours, so that one snapshot taken in a
// short peak does not decide a quarter.
double level_around(const Grid& grid, std::size_t i) {
  const std::size_t first = i == 0 ? 0 : i - 1;
  const std::size_t last = std::min(i + 1, grid.y.size() - 1);
  return last - first == 2 ? median({grid.y[first], grid.y[i], grid.y[last]}) : grid.y[i];
}

std::vector<double> residuals(const Grid& grid, double slope) {
  std::vector<double> left(grid.y.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    left[i] = grid.y[i] - slope * grid.t[i];
  }
  const double intercept = median(left);
  for (double& value : left) {
    value -= intercept;
  }
  return left;
}

double noise_of(const std::vector<double>& residual) {
  std::vector<double> size(residual.size());
  std::transform(residual.begin(), residual.end(), size.begin(),
                 [](double value) { return std::fabs(value); });
  return kMadToSigma * median(size);
}

// Intervals and stalls come from the snapshots themselves: the last minutes are dense.
void read_steps(std::span<const double> t, std::span<const double> y, Growth& growth) {
  const auto begin = std::lower_bound(t.begin(), t.end(), growth.from_s);
  auto i = static_cast<std::size_t>(begin - t.begin());
  double highest = y[i];
  double stall = 0;
  for (++i; i < t.size(); ++i) {
    ++growth.intervals;
    growth.grown_intervals += y[i] > y[i - 1] ? 1 : 0;
    if (y[i] > highest) {
      highest = y[i];
      growth.earlier_stall_s = std::max(growth.earlier_stall_s, stall);
      growth.last_step_s = t[i] - t[i - 1];
      stall = 0;
    } else {
      stall += t[i] - t[i - 1];
    }
  }
  growth.stall_s = stall;
}

// The level that is never left again: at each moment the least of all that follow. Where most
// blocks live for a moment, this is what stays of a curve that scatters.
void keep_what_lasts(std::vector<double>& y) {
  for (std::size_t i = y.size() - 1; i > 0; --i) {
    y[i - 1] = std::min(y[i - 1], y[i]);
  }
}

// The number of blocks, in bytes: at the mean size of those gained, so that the levels compare.
std::vector<double> blocks_as_bytes(const Curve& curve, double bytes, double blocks) {
  std::vector<double> y(curve.blocks);
  for (double& value : y) {
    value *= bytes / blocks;
  }
  return y;
}

void read_shape(std::span<const double> t, std::span<const double> y, Growth& growth) {
  const Grid grid = grid_of(t, y, growth.from_s);
  const double slope = slope_of(grid, 0, kPoints);
  growth.bytes = slope * growth.length_s();
  growth.first_half = slope_of(grid, 0, 2 * kQuarter + 1);
  growth.second_half = slope_of(grid, 2 * kQuarter, 2 * kQuarter + 1);
  for (std::size_t q = 0; q < growth.quarters.size(); ++q) {
    growth.quarters[q] = level_around(grid, (q + 1) * kQuarter) - level_around(grid, q * kQuarter);
  }
  growth.noise = noise_of(residuals(grid, slope));
  read_steps(t, y, growth);
  growth.pace = measure_pace(t, y, growth.from_s, growth.in_blocks ? growth.blocks : growth.births);
}

// Neighbouring points are not independent; their lag-1 correlation says how far from it.
double lag_one_correlation(const std::vector<double>& residual) {
  double product = 0;
  double square = 0;
  for (std::size_t i = 0; i < residual.size(); ++i) {
    square += residual[i] * residual[i];
    product += i == 0 ? 0 : residual[i] * residual[i - 1];
  }
  return square > 0 ? std::clamp(product / square, 0.0, 0.95) : 0;
}

// Standard error of the slope that sampling adds: what was gained is as uncertain as the blocks
// that came are, and so much larger is the variance at the end. Blocks that came and went meanwhile
// show as scatter of the curve.
double sampling_error(const Curve& curve, double from) {
  if (curve.variance.empty()) {
    return 0;
  }
  const double gained = curve.variance.back() - value_at(curve.t, curve.variance, from);
  return std::sqrt(std::max(gained, 0.0)) / (curve.end_s() - from);
}

}  // namespace

Growth measure_growth(const Curve& curve, double from) {
  Growth growth;
  growth.from_s = from;
  growth.to_s = curve.end_s();
  const double bytes = curve.bytes.back() - value_at(curve.t, curve.bytes, from);
  growth.blocks = curve.blocks.back() - value_at(curve.t, curve.blocks, from);
  growth.births = curve.births.back() - value_at(curve.t, curve.births, from);
  growth.blocks_a_count = curve.blocks_a_count;
  growth.slope = slope_of(grid_of(curve.t, curve.bytes, from), 0, kPoints);
  growth.in_blocks =
      bytes > 0 && growth.blocks > kFewBlocks &&
      growth.blocks * curve.bytes.back() > kMostlyBlocks * bytes * curve.blocks.back();
  if (!growth.in_blocks) {
    read_shape(curve.t, curve.bytes, growth);
    return growth;
  }
  std::vector<double> y = blocks_as_bytes(curve, bytes, growth.blocks);
  growth.lasting = growth.births - growth.blocks > kTurnover * growth.births;
  if (growth.lasting) {
    keep_what_lasts(y);
  }
  read_shape(curve.t, y, growth);
  return growth;
}

// Sen's interval: the slopes of rank (M ∓ z·sqrt(Var S))/2 among the M sorted ones, with Kendall's
// Var S = n(n-1)(2n+5)/18 (Sen, JASA 63, 1968; Gilbert, Statistical Methods for Environmental
// Pollution Monitoring, 1987, 16.5). Var S is widened by (1+r)/(1-r) for points whose neighbours
// correlate by r (Yue and Wang, Water Resources Management 18, 2004).
model::Range slope_interval(const Curve& curve, double from) {
  constexpr double kZ = 1.96;
  const Grid grid = grid_of(curve.t, curve.bytes, from);
  std::vector<double> slopes;
  slopes.reserve(kPoints * (kPoints - 1) / 2);
  for (std::size_t i = 0; i < kPoints; ++i) {
    for (std::size_t j = i + 1; j < kPoints; ++j) {
      slopes.push_back((grid.y[j] - grid.y[i]) / (grid.t[j] - grid.t[i]));
    }
  }
  std::sort(slopes.begin(), slopes.end());
  const double slope = median(slopes);
  const double r = lag_one_correlation(residuals(grid, slope));
  constexpr double kN = kPoints;
  const double variance = kN * (kN - 1) * (2 * kN + 5) / 18 * (1 + r) / (1 - r);
  const auto all = static_cast<double>(slopes.size());
  const double half_width = kZ * std::sqrt(variance) / 2;
  const auto at = [&](double rank) {
    return slopes[static_cast<std::size_t>(std::clamp(std::round(rank), 0.0, all - 1))];
  };
  const model::Range sen = {at(all / 2 - half_width), at(all / 2 + half_width)};
  const double sampling = kZ * sampling_error(curve, from);
  return {slope - std::hypot(slope - sen.low, sampling),
          slope + std::hypot(sen.high - slope, sampling)};
}

}  // namespace seep::rank
