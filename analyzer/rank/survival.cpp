#include "analyzer/rank/survival.h"

#include <algorithm>
#include <cstdint>

namespace seep::rank {
namespace {

// What lives longer than an eighth of the horizon is no turnover of the moment any more.
constexpr unsigned kYoungClasses = 3;
// The cohorts that are compared leave the turnover well behind: the young one is older than a
// quarter of the horizon.
constexpr unsigned kCohortClasses = 2;

// The youngest age in a class, seconds.
double lower_bound_s(std::uint32_t age_class) {
  if (age_class == 0) {
    return 0;
  }
  const std::uint64_t ms = std::uint64_t{1} << (format::kAgeClassZeroShift + age_class - 1);
  return static_cast<double>(ms) / 1000;
}

// The oldest class that begins within half of the window; 0 when there is none.
std::uint32_t horizon_class(double window_s) {
  std::uint32_t found = 0;
  for (std::uint32_t k = 1; k < format::kAgeClasses && lower_bound_s(k) <= window_s / 2; ++k) {
    found = k;
  }
  return found;
}

double older_than(const model::SiteHistory& site, const Curve& curve, std::uint32_t age_class) {
  double blocks = 0;
  for (const model::AgeCount& age : site.ages) {
    blocks += age.age_class >= age_class ? static_cast<double>(age.blocks) : 0;
  }
  return blocks / curve.blocks_a_count;
}

// Blocks alive at `when`, at least: the lower of the snapshots around it, since a batch of births
// between them would pass for deaths.
double alive_at(const Curve& curve, double when) {
  const auto after = std::upper_bound(curve.t.begin(), curve.t.end(), when) - curve.t.begin();
  const auto j = static_cast<std::size_t>(after);
  if (j == 0 || j == curve.t.size()) {
    return value_at(curve.t, curve.blocks, when);
  }
  return std::min(curve.blocks[j - 1], curve.blocks[j]);
}

// How many of the blocks alive one horizon ago are dead now.
double died_since(const model::SiteHistory& site, const Curve& curve, std::uint32_t age_class) {
  const double then = alive_at(curve, curve.end_s() - lower_bound_s(age_class));
  return std::max(0.0, then - older_than(site, curve, age_class));
}

// Births by the snapshot before `when`, or by the one after it.
double births_before(const Curve& curve, double when) {
  const auto after = std::upper_bound(curve.t.begin(), curve.t.end(), when) - curve.t.begin();
  return after == 0 ? 0 : curve.births[static_cast<std::size_t>(after) - 1];
}

double births_after(const Curve& curve, double when) {
  const auto after = std::lower_bound(curve.t.begin(), curve.t.end(), when) - curve.t.begin();
  const auto last = static_cast<std::ptrdiff_t>(curve.t.size()) - 1;
  return curve.births[static_cast<std::size_t>(std::min(after, last))];
}

Cohort cohort(double born, double alive) {
  const double counted = std::max(alive, 0.0);
  return {std::max(born, counted), counted};
}

// What is not known exactly, the births between two snapshots, is taken so that the old cohort
// looks the better: a batch between them would pass for deaths.
void measure_cohorts(const model::SiteHistory& site, const Curve& curve, std::uint32_t horizon,
                     std::uint32_t young, Survival& result) {
  const double from_births = value_at(curve.t, curve.births, result.from_s);
  const double from_alive = value_at(curve.t, curve.blocks, result.from_s);
  const double old_end = curve.end_s() - lower_bound_s(horizon);
  const double young_end = curve.end_s() - lower_bound_s(young);
  const double older = older_than(site, curve, horizon);
  result.old = cohort(births_before(curve, old_end) - from_births, older - from_alive);
  result.young = cohort(births_after(curve, young_end) - births_before(curve, old_end),
                        older_than(site, curve, young) - older);
}

}  // namespace

Survival measure_survival(const model::SiteHistory& site, const Curve& curve, double from) {
  Survival result;
  const std::uint32_t horizon = horizon_class(curve.end_s() - from);
  if (horizon == 0 || site.ages.empty()) {
    return result;
  }
  result.known = true;
  result.from_s = from;
  result.horizon_s = lower_bound_s(horizon);
  const double then = value_at(curve.t, curve.blocks, curve.end_s() - result.horizon_s);
  result.gained_before = then - value_at(curve.t, curve.blocks, from);
  result.survivors = older_than(site, curve, horizon);
  result.died = died_since(site, curve, horizon);
  const std::uint32_t young = horizon > kYoungClasses ? horizon - kYoungClasses : 1;
  if (young < horizon) {
    measure_cohorts(site, curve, horizon, std::max(young, horizon - kCohortClasses), result);
    result.died_young = died_since(site, curve, young);
    result.gained_between =
        value_at(curve.t, curve.blocks, curve.end_s() - lower_bound_s(young)) - then;
  }
  return result;
}

}  // namespace seep::rank
