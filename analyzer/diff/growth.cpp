#include "analyzer/diff/growth.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

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

// Of so few blocks, a slope of the bytes counts where they moved that way so often, and further
// than ever back.
constexpr double kFewBlocks = 8;
constexpr std::size_t kLeastSteps = 6;
constexpr double kBackFactor = 1.5;
// Of a site that turns over so little that no moment saw it: one block, coming and going.
constexpr double kLeastBlocks = 1;

double level_or_slope(const std::vector<double>& y, const Window& window) {
  if (window.x.empty()) {
    return y.back();
  }
  const bool flat =
      std::all_of(y.begin(), y.end(), [&](double value) { return value == y.front(); });
  return flat ? 0 : model::theil_sen_slope(window.x, y);
}

// The sum of one counter over the sites, at the moment.
double sum_of(const Recording& recording, const std::vector<std::size_t>& sites, std::size_t moment,
              std::uint64_t model::Counters::*counter) {
  double sum = 0;
  for (const std::size_t site : sites) {
    sum += static_cast<double>(recording.sites[site].at[moment].*counter);
  }
  return sum;
}

bool turns_over(const Recording& recording, const std::vector<std::size_t>& sites,
                const Window& window) {
  const auto gained = [&](std::uint64_t model::Counters::*counter) {
    return sum_of(recording, sites, window.moments.back(), counter) -
           sum_of(recording, sites, window.moments.front(), counter);
  };
  return gained(&model::Counters::allocated_blocks) > gained(&model::Counters::live_blocks);
}

// How many blocks one that was counted stands for: 1 but in sample mode.
double blocks_a_count(const Recording& recording, const std::vector<std::size_t>& sites,
                      std::size_t moment) {
  double sampled = 0;
  for (const std::size_t site : sites) {
    const auto& estimates = recording.sites[site].estimates;
    sampled += estimates.empty() ? 0 : static_cast<double>(estimates[moment].sampled_blocks);
  }
  const double blocks = sum_of(recording, sites, moment, &model::Counters::live_blocks);
  return sampled > 0 ? std::max(1.0, blocks / sampled) : 1;
}

double length_of(const Window& window) {
  return window.x.back() - window.x.front();
}

double variance_of_slope(const Recording& recording, const std::vector<std::size_t>& sites,
                         const Window& window, const std::vector<double>& blocks) {
  double mean = 0;
  double a_count = 1;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    mean += blocks[i] / static_cast<double>(blocks.size());
    a_count = std::max(a_count, blocks_a_count(recording, sites, window.moments[i]));
  }
  return 2 * std::max(mean, kLeastBlocks) * a_count / (length_of(window) * length_of(window));
}

// The bytes went on in the direction of `slope`, from a level that was there.
bool is_resized(const std::vector<double>& bytes, double slope, double length) {
  double furthest = 0;
  double back = 0;
  std::size_t steps = 0;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    const double way = slope > 0 ? bytes[i] - bytes.front() : bytes.front() - bytes[i];
    steps += way > furthest ? 1 : 0;
    furthest = std::max(furthest, way);
    back = std::max(back, furthest - way);
  }
  return bytes.front() > 0 && steps >= std::min(kLeastSteps, bytes.size() - 1) &&
         std::abs(slope) * length > kBackFactor * back;
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
  Figures figures{level_or_slope(bytes, window), level_or_slope(blocks, window),
                  std::any_of(blocks.begin(), blocks.end(), is_alive)};
  if (!window.x.empty() && turns_over(recording, sites, window)) {
    figures.variance = variance_of_slope(recording, sites, window, blocks);
    figures.resized = *std::max_element(blocks.begin(), blocks.end()) <= kFewBlocks &&
                      is_resized(bytes, figures.bytes, length_of(window));
  }
  return figures;
}

}  // namespace seep::diff
