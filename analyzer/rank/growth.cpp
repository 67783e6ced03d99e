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

// 1.4826 · MAD estimates the standard deviation of normal noise.
constexpr double kMadToSigma = 1.4826;

struct Grid {
  std::vector<double> t;
  std::vector<double> y;
};

Grid grid_of(const Curve& curve, double from) {
  Grid grid;
  grid.y = resample(curve.t, curve.bytes, from, curve.end_s(), kPoints);
  const double step = (curve.end_s() - from) / static_cast<double>(kPoints - 1);
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
void read_steps(const Curve& curve, Growth& growth) {
  const auto begin = std::lower_bound(curve.t.begin(), curve.t.end(), growth.from_s);
  auto i = static_cast<std::size_t>(begin - curve.t.begin());
  double highest = curve.bytes[i];
  double stall = 0;
  for (++i; i < curve.t.size(); ++i) {
    ++growth.intervals;
    growth.grown_intervals += curve.bytes[i] > curve.bytes[i - 1] ? 1 : 0;
    if (curve.bytes[i] > highest) {
      highest = curve.bytes[i];
      growth.earlier_stall_s = std::max(growth.earlier_stall_s, stall);
      stall = 0;
    } else {
      stall += curve.t[i] - curve.t[i - 1];
    }
  }
  growth.stall_s = stall;
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
  const Grid grid = grid_of(curve, from);
  Growth growth;
  growth.from_s = from;
  growth.to_s = curve.end_s();
  growth.slope = slope_of(grid, 0, kPoints);
  growth.first_half = slope_of(grid, 0, 2 * kQuarter + 1);
  growth.second_half = slope_of(grid, 2 * kQuarter, 2 * kQuarter + 1);
  growth.bytes = growth.slope * growth.length_s();
  growth.blocks = curve.blocks.back() - value_at(curve.t, curve.blocks, from);
  growth.blocks_a_count = curve.blocks_a_count;
  for (std::size_t q = 0; q < growth.quarters.size(); ++q) {
    growth.quarters[q] = level_around(grid, (q + 1) * kQuarter) - level_around(grid, q * kQuarter);
  }
  growth.noise = noise_of(residuals(grid, growth.slope));
  read_steps(curve, growth);
  return growth;
}

// Sen's interval: the slopes of rank (M ∓ z·sqrt(Var S))/2 among the M sorted ones, with Kendall's
// Var S = n(n-1)(2n+5)/18 (Sen, JASA 63, 1968; Gilbert, Statistical Methods for Environmental
// Pollution Monitoring, 1987, 16.5). Var S is widened by (1+r)/(1-r) for points whose neighbours
// correlate by r (Yue and Wang, Water Resources Management 18, 2004).
model::Range slope_interval(const Curve& curve, double from) {
  constexpr double kZ = 1.96;
  const Grid grid = grid_of(curve, from);
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
