#include "analyzer/rank/rules.h"

#include <algorithm>
#include <cmath>

#include "analyzer/rank/judge.h"

namespace seep::rank {
namespace {

// An even gain has its centre at 0.5; a rate that falls to 1/e over the window, as of a memo table
// that has been asked once for each key, at 0.418. Load that comes in waves of a quarter of the
// window moves it by 0.03. Beyond that, so many standard deviations of the centre are no chance.
constexpr double kCentreSlack = 0.03;
constexpr double kCentreSigmas = 1.0;
constexpr double kFewSigmas = 0.3;
constexpr double kFewEvents = 50;
constexpr double kEndingSlack = 0.06;
constexpr double kEndingSigmas = 3;
// The gain over the window in standard deviations of the scatter. A steady population of random
// lives wanders by two or three of them.
constexpr double kNoiseSigmas = 5;
// A stall counts when twice as long as any before and the pace would have gained this much since.
constexpr double kStallFactor = 2;
constexpr double kStallSigmas = 3;
constexpr double kStallEvents = 6;
// Share of the first half's gain that must still be alive, and share that may have died late.
constexpr double kLeastAlive = 0.7;
constexpr double kMostDied = 0.1;
// Share of survivors among the blocks born long ago against that among those born since.
constexpr double kLeastRatio = 0.85;
constexpr double kTurnsOver = 0.5;
constexpr double kLenience = 0.0;
// Late deaths that say nothing: fewer than this, or than this share of the births.
constexpr double kLeastDeaths = 3;
constexpr double kRareDeaths = 0.02;
constexpr double kChanceSigmas = 1.5;
// Many deaths at an even rate: so many at least, at most this share of the births, and in each
// quarter as many as on average, within this share of them.
constexpr double kManyDeaths = 50;
constexpr double kMostReleased = 0.8;
constexpr double kEvenDeaths = 0.15;
// Few blocks: one buffer, or a handful of them behind one site.
constexpr double kFewBlocks = 8;
constexpr std::size_t kLeastSteps = 6;
// A site at which little happens, and share of its births from which on it mostly turns over.
constexpr double kFewBirths = 100;
constexpr double kMostlyFreed = 0.5;
// A late gain against the deepest fall before it.
constexpr double kPastFactor = 1.5;

double sqrt_of(double count) {
  return std::sqrt(std::max(count, 0.0));
}

double births_between(const Curve& curve, double from, double to) {
  return value_at(curve.t, curve.births, to) - value_at(curve.t, curve.births, from);
}

// All that the level fell by from one snapshot to the next.
double fallen_since(const Curve& curve, double from) {
  double fallen = 0;
  for (std::size_t i = 1; i < curve.t.size(); ++i) {
    fallen += curve.t[i] > from ? std::max(0.0, curve.blocks[i - 1] - curve.blocks[i]) : 0;
  }
  return fallen;
}

double gained_between(const Curve& curve, double from, double to) {
  return value_at(curve.t, curve.blocks, to) - value_at(curve.t, curve.blocks, from);
}

}  // namespace

bool grew_throughout(const Growth& growth) {
  return std::count_if(growth.quarters.begin(), growth.quarters.end(),
                       [](double gained) { return gained > 0; }) >= 3;
}

// A later window is asked for more: what slows down from the start looks even for a while. So are
// few arrivals of which some die: two weak signs of lives that end.
bool slows_down(const Curve& curve, const Growth& growth) {
  const bool later = growth.from_s > curve.begin_s();
  const double deaths = growth.births - growth.blocks;
  const bool dying =
      growth.in_blocks && growth.pace.events < kFewEvents && deaths > kRareDeaths * growth.births;
  const double sigmas = later || dying ? kFewSigmas : kCentreSigmas;
  return growth.pace.centre < 0.5 - kCentreSlack - sigmas * growth.pace.centre_error();
}

bool is_ending(const Growth& growth) {
  return growth.pace.centre <
         0.5 - std::max(kEndingSlack, kEndingSigmas * growth.pace.centre_error());
}

bool has_stalled(const Growth& growth) {
  // As long as from one snapshot to the next: the one at exit may follow the last one at once.
  const bool is_long = growth.stall_s > kStallFactor * growth.earlier_stall_s &&
                       growth.stall_s >= growth.last_step_s;
  if (!is_long || growth.slope <= 0) {
    return false;
  }
  const double missing = growth.slope * growth.stall_s;
  const double share = growth.stall_s / growth.length_s();
  return missing > kStallSigmas * growth.noise && share * growth.pace.events >= kStallEvents;
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

// The ratio of two shares of survivors is the better known the more survivors there are; where most
// die at once (a leak amid turnover) it is only known by them.
bool ages_do_not_matter(const Survival& survival) {
  const Cohort& old = survival.old;
  const Cohort& young = survival.young;
  const double deaths = old.died() + young.died();
  if (deaths < kLeastDeaths || deaths < kRareDeaths * (old.born + young.born)) {
    return true;
  }
  if (old.alive <= 0 || young.alive <= 0) {
    return false;
  }
  const double ratio = old.share() / young.share();
  const double error =
      ratio * std::sqrt((1 - old.share()) / old.alive + (1 - young.share()) / young.alive);
  const double lenience = young.share() < kTurnsOver ? 1 : kLenience;
  return ratio >= kLeastRatio - lenience * error;
}

bool releases_are_even(const Curve& curve, const Growth& growth) {
  const double deaths = growth.births - growth.blocks;
  if (deaths < kManyDeaths || growth.pace.events < kManyDeaths) {
    return false;
  }
  const double share = deaths / growth.births;
  const Pace births = measure_pace(curve.t, curve.births, growth.from_s, growth.births);
  if (share > kMostReleased || std::fabs(births.centre - 0.5) > kCentreSlack) {
    return false;
  }
  for (int quarter = 0; quarter < 4; ++quarter) {
    const double begin = growth.from_s + growth.length_s() * quarter / 4;
    const double end = begin + growth.length_s() / 4;
    const double born = births_between(curve, begin, end);
    const double died = born - gained_between(curve, begin, end);
    if (std::fabs(died - share * born) > kEvenDeaths * share * born) {
      return false;
    }
  }
  return true;
}

bool deaths_are_of_the_moment(const Curve& curve, const Growth& growth, const Survival& survival) {
  return survival.known && survival.gained_before >= kLeastSurvivors &&
         survival.died <= kRareDeaths * survival.survivors &&
         fallen_since(curve, growth.from_s) <= kRareDeaths * growth.blocks;
}

bool few_blocks_grow(const Curve& curve, const Growth& growth) {
  const double most = *std::max_element(curve.blocks.begin(), curve.blocks.end());
  return curve.counts_are_blocks() && most <= kFewBlocks && growth.grown_intervals >= kLeastSteps;
}

// The largest of ever more messages grows ever more seldom; a few such records late in a run look
// even.
bool worth_naming(const Curve& curve, const Growth& growth) {
  const bool late_sizes = !growth.in_blocks && growth.from_s > curve.begin_s();
  return growth.bytes >= kLeastBytes &&
         growth.pace.events >= (late_sizes ? 2 * kLeastEvents : kLeastEvents);
}

bool stays_by_chance(const Growth& growth) {
  const double deaths = growth.births - growth.blocks;
  return growth.in_blocks && growth.births < kFewBirths && deaths > kMostlyFreed * growth.births &&
         growth.pace.events < 2 * kLeastEvents;
}

bool exceeds_the_past(const Curve& curve, const Growth& growth) {
  double highest = 0;
  double fall = 0;
  for (std::size_t i = 0; i < curve.t.size() && curve.t[i] <= growth.from_s; ++i) {
    highest = std::max(highest, curve.bytes[i]);
    fall = std::max(fall, highest - curve.bytes[i]);
  }
  return growth.bytes >= kPastFactor * fall;
}

}  // namespace seep::rank
