#include "analyzer/rank/rules.h"

#include <algorithm>
#include <cmath>

#include "analyzer/rank/judge.h"

namespace seep::rank {
namespace {

// Design §6. Coroot's rule for its alert, 0.3, lets memo tables pass (docs/ranking.md).
constexpr double kLeastPace = 0.7;
// Significance, in standard deviations of Poisson counts, of a quarter being slower than another.
constexpr double kSlowerSigmas = 4;
constexpr double kClearlySlower = 0.75;
// The gain over the window in standard deviations of the scatter. A steady population of random
// lives wanders by two or three of them.
constexpr double kNoiseSigmas = 5;
// A stall counts when twice as long as any before and the pace would have gained this much since.
constexpr double kStallFactor = 2;
constexpr double kStallSigmas = 3;
constexpr double kStallBlocks = 20;
// Share of the gain that may have died: what is left is still a leak.
constexpr double kMostDied = 0.3;
// Deaths among births that mean a steady state, and those that mean none.
constexpr double kSteadyDeaths = 0.5;
constexpr double kRareDeaths = 0.1;
constexpr double kLeastBirths = 20;
// Few blocks: one buffer, or a handful of them behind one site.
constexpr double kFewBlocks = 8;
// Blocks this large on average need no eighteen of them to matter.
constexpr double kLargeGain = 64 * 1024;
constexpr std::size_t kLeastSteps = 6;
// A late gain against the highest rise and fall before it.
constexpr double kPastFactor = 1.5;

double sqrt_of(double count) {
  return std::sqrt(std::max(count, 0.0));
}

}  // namespace

bool grew_throughout(const Growth& growth) {
  return std::count_if(growth.quarters.begin(), growth.quarters.end(),
                       [](double gained) { return gained > 0; }) >= 3;
}

bool kept_its_pace(const Growth& growth) {
  return growth.slope > 0 && growth.second_half >= kLeastPace * growth.first_half;
}

bool bends_down(const Growth& growth) {
  const auto& q = growth.quarters;
  return q[0] > q[1] && q[1] > q[2] && q[2] > q[3] && q[3] < kLeastPace * q[1];
}

bool slows_down(const Growth& growth) {
  const auto& q = growth.quarters;
  if (!(q[0] > q[1] && q[1] > q[2] && q[2] > q[3]) || growth.blocks <= 0) {
    return false;
  }
  const double block = growth.bytes / growth.blocks;
  const double chance = kSlowerSigmas * block * sqrt_of((q[0] + q[3]) / block);
  return q[3] < kClearlySlower * q[0] && q[0] - q[3] > chance;
}

bool has_stalled(const Growth& growth) {
  if (growth.stall_s <= kStallFactor * growth.earlier_stall_s || growth.slope <= 0) {
    return false;
  }
  const double missing = growth.slope * growth.stall_s;
  const double share = growth.stall_s / growth.length_s();
  return missing > kStallSigmas * growth.noise && share * growth.blocks >= kStallBlocks;
}

bool above_noise(const Growth& growth) {
  return growth.bytes > 0 && growth.bytes >= kNoiseSigmas * growth.noise;
}

bool releases_began(const Curve& curve, double from) {
  const auto deaths_until = [&](std::size_t i) { return curve.births[i] - curve.blocks[i]; };
  const std::size_t last = curve.t.size() - 1;
  const auto begin = static_cast<std::size_t>(
      std::lower_bound(curve.t.begin(), curve.t.end(), from) - curve.t.begin());
  for (std::size_t i = last; i-- > begin + 1;) {
    const double births = curve.births[last] - curve.births[i];
    if (births < kLeastBirths) {
      continue;
    }
    const double before = curve.births[i] - curve.births[begin];
    return deaths_until(last) - deaths_until(i) >= kSteadyDeaths * births &&
           deaths_until(i) - deaths_until(begin) <= kRareDeaths * before;
  }
  return false;
}

bool blocks_stay(const Survival& survival) {
  if (!survival.known || survival.gained_before <= 0) {
    return false;
  }
  // Turnover of the moment is counted at two moments; each scatters like a Poisson count.
  const double chance = 2 * sqrt_of(survival.died_young);
  const double later = survival.died - survival.died_young;
  return survival.survivors >= (1 - kMostDied) * survival.gained_before &&
         later <= kMostDied * survival.gained_before + chance &&
         -later <= kMostDied * std::max(survival.gained_between, 0.0) + chance;
}

bool few_blocks_grow(const Curve& curve, const Growth& growth) {
  const double most = *std::max_element(curve.blocks.begin(), curve.blocks.end());
  return most <= kFewBlocks && growth.grown_intervals >= kLeastSteps;
}

bool worth_naming(const Growth& growth) {
  return growth.bytes >= kLeastBytes &&
         (growth.blocks >= kLeastSurvivors ||
          (growth.bytes >= kLargeGain && growth.grown_intervals >= kLeastSteps));
}

bool exceeds_the_past(const Curve& curve, const Growth& growth) {
  const auto end =
      std::upper_bound(curve.t.begin(), curve.t.end(), growth.from_s) - curve.t.begin();
  if (end < 2) {
    return true;
  }
  const auto [low, high] = std::minmax_element(curve.bytes.begin(), curve.bytes.begin() + end);
  return growth.bytes >= kPastFactor * (*high - *low);
}

}  // namespace seep::rank
