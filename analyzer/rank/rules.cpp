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
// Share of the first half's gain that must still be alive, and share that may have died late.
constexpr double kLeastAlive = 0.7;
constexpr double kMostDied = 0.1;
// Late deaths that say nothing: fewer than this, or than this share of the births.
constexpr double kLeastDeaths = 3;
constexpr double kRareDeaths = 0.02;
constexpr double kChanceSigmas = 1.5;
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

double births_between(const Curve& curve, double from, double to) {
  return value_at(curve.t, curve.births, to) - value_at(curve.t, curve.births, from);
}

double gained_between(const Curve& curve, double from, double to) {
  return value_at(curve.t, curve.blocks, to) - value_at(curve.t, curve.blocks, from);
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

// A leak amid turnover loses the same share of its births early and late. Blocks that merely live
// long die later than they are born, so that share rises.
bool releases_rise(const Curve& curve, double from, const Survival& survival) {
  const double middle = (from + curve.end_s()) / 2;
  const double births_before = births_between(curve, from, middle);
  const double births_after = births_between(curve, middle, curve.end_s());
  if (births_before <= 0) {
    return false;
  }
  const double deaths_before = births_before - gained_between(curve, from, middle);
  const double deaths_after = births_after - gained_between(curve, middle, curve.end_s());
  const double excess = deaths_after - deaths_before * births_after / births_before;
  // Which blocks die early is chance, and so is the number of short-lived ones at either moment.
  const double variance = std::min(2 * deaths_before, gained_between(curve, from, curve.end_s())) +
                          2 * std::min(survival.died_young, deaths_before);
  const double chance = kChanceSigmas * sqrt_of(variance);
  return excess >= kLeastDeaths && excess > kRareDeaths * births_after + chance;
}

bool blocks_stay(const Survival& survival) {
  if (!survival.known || survival.gained_before <= 0) {
    return false;
  }
  // Turnover of the moment is counted at two moments; each scatters like a Poisson count.
  const double chance = 2 * sqrt_of(survival.died_young);
  const double later = survival.died - survival.died_young;
  return survival.survivors >= kLeastAlive * survival.gained_before &&
         later <= kMostDied * survival.gained_before + chance &&
         -later <= (1 - kLeastAlive) * std::max(survival.gained_between, 0.0) + chance;
}

bool few_blocks_grow(const Curve& curve, const Growth& growth) {
  const double most = *std::max_element(curve.blocks.begin(), curve.blocks.end());
  return curve.counts_are_blocks() && most <= kFewBlocks && growth.grown_intervals >= kLeastSteps;
}

bool worth_naming(const Growth& growth) {
  const bool many_blocks = growth.blocks >= kLeastSurvivors;
  const bool many_steps = static_cast<double>(growth.grown_intervals) >= kLeastSurvivors;
  const bool large = growth.blocks_a_count < Curve::kNearlyOne && growth.bytes >= kLargeGain &&
                     growth.grown_intervals >= kLeastSteps;
  return growth.bytes >= kLeastBytes && (many_blocks || many_steps || large);
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
