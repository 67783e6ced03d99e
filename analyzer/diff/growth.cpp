#include "analyzer/diff/growth.h"

#include <algorithm>

#include "analyzer/model/theil_sen.h"

namespace seep::diff {
namespace {

using model::DiffBasis;
using model::Moment;
using model::Recording;

// Where a moment stands on the axis of the basis; unset when it has no place there.
std::optional<double> place(const Moment& moment, DiffBasis basis) {
  if (basis == DiffBasis::kPerSecond) {
    return moment.time_s;
  }
  return moment.units ? std::optional(static_cast<double>(*moment.units)) : std::nullopt;
}

Window after_warmup(const Recording& recording, DiffBasis basis, double warmup_s) {
  Window window;
  for (std::size_t i = 0; i < recording.moments.size(); ++i) {
    const auto x = place(recording.moments[i], basis);
    if (x && recording.moments[i].time_s >= warmup_s) {
      window.moments.push_back(i);
      window.x.push_back(*x);
    }
  }
  return window;
}

double largest(const Window& window) {
  return window.x.empty() ? 0 : *std::max_element(window.x.begin(), window.x.end());
}

void cut_beyond(Window& window, double most) {
  Window kept;
  for (std::size_t i = 0; i < window.x.size(); ++i) {
    if (window.x[i] <= most) {
      kept.moments.push_back(window.moments[i]);
      kept.x.push_back(window.x[i]);
    }
  }
  window = std::move(kept);
}

bool has_slope(const Window& window) {
  return std::any_of(window.x.begin(), window.x.end(),
                     [&](double x) { return x != window.x.front(); });
}

std::optional<Comparison> compare_growth(const Recording& old_side, const Recording& new_side,
                                         DiffBasis basis, double warmup_s) {
  Comparison comparison{basis, after_warmup(old_side, basis, warmup_s),
                        after_warmup(new_side, basis, warmup_s)};
  if (basis == DiffBasis::kPerSecond) {
    const double common = std::min(largest(comparison.old_window), largest(comparison.new_window));
    cut_beyond(comparison.old_window, common);
    cut_beyond(comparison.new_window, common);
  }
  if (has_slope(comparison.old_window) && has_slope(comparison.new_window)) {
    return comparison;
  }
  return std::nullopt;
}

double level_or_slope(const std::vector<double>& y, const Window& window) {
  if (window.x.empty()) {
    return y.back();
  }
  const bool flat =
      std::all_of(y.begin(), y.end(), [&](double value) { return value == y.front(); });
  return flat ? 0 : model::theil_sen_slope(window.x, y);
}

}  // namespace

Comparison choose_comparison(const Recording& old_side, const Recording& new_side,
                             double warmup_s) {
  for (const DiffBasis basis : {DiffBasis::kPerUnit, DiffBasis::kPerSecond}) {
    if (auto comparison = compare_growth(old_side, new_side, basis, warmup_s)) {
      return *comparison;
    }
  }
  Comparison levels;
  levels.old_window.moments = {old_side.moments.size() - 1};
  levels.new_window.moments = {new_side.moments.size() - 1};
  return levels;
}

Figures figures_of(const Recording& recording, const std::vector<std::size_t>& sites,
                   const Window& window) {
  if (sites.empty()) {
    return {};
  }
  std::vector<double> bytes(window.moments.size());
  std::vector<double> blocks(window.moments.size());
  for (const std::size_t site : sites) {
    const std::vector<model::Counters>& at = recording.sites[site].at;
    for (std::size_t i = 0; i < window.moments.size(); ++i) {
      bytes[i] += static_cast<double>(at[window.moments[i]].live_bytes);
      blocks[i] += static_cast<double>(at[window.moments[i]].live_blocks);
    }
  }
  const auto is_alive = [](double value) { return value != 0; };
  return {level_or_slope(bytes, window), level_or_slope(blocks, window),
          std::any_of(blocks.begin(), blocks.end(), is_alive)};
}

}  // namespace seep::diff
