#include "analyzer/model/theil_sen.h"

#include <algorithm>
#include <vector>

namespace seep::model {
namespace {

double median(std::vector<double>& values) {
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

}  // namespace

double theil_sen_slope(std::span<const double> t, std::span<const double> y) {
  const std::size_t all = std::min(t.size(), y.size());
  const std::size_t points = std::min(all, kTheilSenPoints);
  // The point that stands at position i of `points` evenly chosen ones; the first and the last
  // stay.
  const auto chosen = [&](std::size_t i) { return points < 2 ? i : i * (all - 1) / (points - 1); };
  std::vector<double> slopes;
  slopes.reserve(points * (points - (points != 0)) / 2);
  for (std::size_t i = 0; i < points; ++i) {
    const std::size_t a = chosen(i);
    for (std::size_t j = i + 1; j < points; ++j) {
      const std::size_t b = chosen(j);
      if (t[a] != t[b]) {
        slopes.push_back((y[b] - y[a]) / (t[b] - t[a]));
      }
    }
  }
  return median(slopes);
}

}  // namespace seep::model
