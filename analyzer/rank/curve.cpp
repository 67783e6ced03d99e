#include "analyzer/rank/curve.h"

#include <algorithm>

namespace seep::rank {

namespace {

// Blocks for each recorded one, over all moments; 1 for what is not sampled.
double blocks_a_count(const model::SiteHistory& site) {
  double blocks = 0;
  double sampled = 0;
  for (std::size_t i = 0; i < site.estimates.size(); ++i) {
    blocks += static_cast<double>(site.at[i].live_blocks);
    sampled += static_cast<double>(site.estimates[i].sampled_blocks);
  }
  return sampled > 0 ? std::max(1.0, blocks / sampled) : 1;
}

}  // namespace

Curve curve_of(const model::SiteHistory& site, std::span<const double> t, std::size_t first) {
  Curve curve{t, {}, {}, {}, blocks_a_count(site)};
  curve.bytes.reserve(t.size());
  curve.blocks.reserve(t.size());
  curve.births.reserve(t.size());
  for (std::size_t i = 0; i < t.size(); ++i) {
    const model::Counters& at = site.at[first + i];
    curve.bytes.push_back(static_cast<double>(at.live_bytes));
    curve.blocks.push_back(static_cast<double>(at.live_blocks) / curve.blocks_a_count);
    curve.births.push_back(static_cast<double>(at.allocated_blocks) / curve.blocks_a_count);
    if (!site.estimates.empty()) {
      const double error = site.estimates[first + i].live_bytes_error;
      curve.variance.push_back(error * error);
    }
  }
  return curve;
}

double value_at(std::span<const double> t, std::span<const double> y, double when) {
  const auto after = std::upper_bound(t.begin(), t.end(), when);
  if (after == t.begin()) {
    return y.front();
  }
  if (after == t.end()) {
    return y.back();
  }
  const auto j = static_cast<std::size_t>(after - t.begin());
  const double share = (when - t[j - 1]) / (t[j] - t[j - 1]);
  return y[j - 1] + share * (y[j] - y[j - 1]);
}

std::vector<double> resample(std::span<const double> t, std::span<const double> y, double from,
                             double to, std::size_t points) {
  std::vector<double> values(points);
  const double step = (to - from) / static_cast<double>(points - 1);
  for (std::size_t i = 0; i < points; ++i) {
    values[i] = value_at(t, y, from + step * static_cast<double>(i));
  }
  return values;
}

double median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) {
    return *middle;
  }
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace seep::rank
