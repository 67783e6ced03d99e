#include "analyzer/rank/judge.h"

#include <algorithm>

#include "analyzer/rank/container.h"
#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/rules.h"
#include "analyzer/rank/shape.h"
#include "analyzer/rank/survival.h"
#include "analyzer/rank/why.h"

namespace seep::rank {
namespace {

using model::Behaviour;

constexpr unsigned kLeastDrops = 2;
// Deaths in the second half against the level: turning over.
constexpr double kTurnover = 0.5;

Verdict plain(Behaviour behaviour, std::string why) {
  Verdict verdict;
  verdict.behaviour = behaviour;
  verdict.bin = bin_of(behaviour);
  verdict.why = std::move(why);
  return verdict;
}

Verdict growing(std::string why, const Curve& curve, const Growth& growth, Bin bin) {
  Verdict verdict = plain(Behaviour::kGrowing, std::move(why));
  verdict.bin = bin;
  verdict.has_growth = true;
  verdict.growth_from_s = growth.from_s;
  verdict.growth_bytes_per_s = growth.slope;
  verdict.growth_range = slope_interval(curve, growth.from_s);
  return verdict;
}

// What a site does that does not grow.
Verdict judge_level(const Curve& curve) {
  if (const unsigned drops = count_drops(curve); drops >= kLeastDrops) {
    return plain(Behaviour::kSawtooth, why_sawtooth(drops));
  }
  const double middle = curve.begin_s() + curve.length_s() / 2;
  if (const auto reached = rise_ended(curve)) {
    return plain(Behaviour::kPlateau, why_plateau(*reached - curve.begin_s(), curve.length_s()));
  }
  if (curve.blocks.back() > 0 && deaths_since(curve, middle) < kTurnover * curve.blocks.back() &&
      curve.bytes.front() < curve.bytes.back()) {
    return plain(Behaviour::kPlateau, why_kept(curve));
  }
  return plain(Behaviour::kSteady, why_steady(curve));
}

// Growth that does not last: a plateau, or the rising side of a tooth.
Verdict judge_ended_growth(const Curve& curve, const Growth& growth) {
  if (const unsigned drops = count_drops(curve); drops >= kLeastDrops) {
    return plain(Behaviour::kSawtooth, why_sawtooth(drops));
  }
  return plain(Behaviour::kPlateau, why_bends(growth));
}

// Growth whose blocks do not stay, or that cannot be told from one that will end.
Verdict judge_turnover(const Curve& curve, const Growth& growth, const Survival& survival) {
  if (growth.blocks < kTurnover * value_at(curve.t, curve.blocks, growth.from_s)) {
    return judge_level(curve);
  }
  return plain(Behaviour::kUnknown, why_blocks_die(survival, growth));
}

// Growth within one window; nullopt when there is none in it.
std::optional<Verdict> judge_window(const model::SiteHistory& site, const Curve& curve,
                                    double from) {
  const Growth growth = measure_growth(curve, from);
  if (!above_noise(growth) || !grew_throughout(growth) || !exceeds_the_past(curve, growth)) {
    return std::nullopt;
  }
  if (is_ending(growth) || has_stalled(growth)) {
    return judge_ended_growth(curve, growth);
  }
  if (growth.intervals < kLeastSnapshots - 1 || !worth_naming(curve, growth)) {
    // What little comes after a start-up, or lasts of a turnover, says nothing against the level.
    return from > curve.begin_s() || growth.lasting
               ? std::nullopt
               : std::optional(plain(Behaviour::kUnknown, why_too_little(growth)));
  }
  if (slows_down(curve, growth)) {
    return plain(Behaviour::kUnknown, why_slows(growth));
  }
  const Survival survival = measure_survival(site, curve, from);
  if (!few_blocks_grow(curve, growth) && !releases_are_even(curve, growth) &&
      !deaths_are_of_the_moment(curve, growth, survival) &&
      (!blocks_stay(survival) || releases_rise(curve, from, survival) ||
       !ages_do_not_matter(survival))) {
    return growth.lasting ? std::nullopt : std::optional(judge_turnover(curve, growth, survival));
  }
  if (stays_by_chance(growth)) {
    return plain(Behaviour::kUnknown, why_too_little(growth));
  }
  return growing(why_growing(curve, growth), curve, growth, bin_of(curve, growth));
}

// The latest window that grows describes the growth best; without one, what the longest says holds.
Verdict judge_growth(const model::SiteHistory& site, const Curve& curve) {
  const std::vector<double> windows = growth_windows(curve);
  std::optional<Verdict> longest;
  for (auto from = windows.rbegin(); from != windows.rend(); ++from) {
    auto verdict = judge_window(site, curve, *from);
    if (verdict && verdict->behaviour == Behaviour::kGrowing) {
      return *verdict;
    }
    longest = verdict ? std::move(verdict) : longest;
  }
  return longest ? *longest : judge_level(curve);
}

Verdict judge_doubling(const Curve& curve, const Doubling& doubling) {
  if (!doubling.goes_on(curve.end_s())) {
    return plain(Behaviour::kPlateau, why_doubled(doubling, curve));
  }
  if (!doubling.keeps_pace()) {
    return plain(Behaviour::kUnknown, why_doubles_slower(doubling));
  }
  const Growth growth = measure_growth(curve, curve.begin_s());
  Verdict verdict = growing(why_doubles(doubling), curve, growth, bin_of(doubling));
  verdict.doubling = doubling;
  return verdict;
}

// A site that holds no more than at half time is not growing; most sites end here, cheaply.
bool may_grow(const model::SiteHistory& site, const Timeline& timeline) {
  const double middle = (timeline.t.front() + timeline.t.back()) / 2;
  const auto after = std::lower_bound(timeline.t.begin(), timeline.t.end(), middle);
  const auto half = timeline.first + static_cast<std::size_t>(after - timeline.t.begin());
  const std::size_t end = timeline.first + timeline.t.size();
  std::uint64_t last = 0;
  for (std::size_t i = end - 3; i < end; ++i) {
    last = std::max(last, site.at[i].live_bytes);
  }
  return last > site.at[half].live_bytes;
}

// One burst, unless what came after it has grown on.
std::optional<Verdict> judge_burst(const Curve& curve) {
  const auto burst = find_burst(curve);
  if (!burst) {
    return std::nullopt;
  }
  const double since = curve.blocks.back() - value_at(curve.t, curve.blocks, burst->end_s);
  if (since >= kLeastSurvivors) {
    return std::nullopt;
  }
  return plain(Behaviour::kOneTime, why_one_time(curve, burst->begin_s, burst->end_s));
}

}  // namespace

bool Timeline::long_enough() const {
  return t.size() >= kLeastSnapshots && t.back() - t.front() >= kLeastSeconds;
}

Verdict judge_kept(std::uint64_t kept_blocks, std::uint64_t live_blocks) {
  return plain(Behaviour::kPlateau, why_kept_for_reuse(kept_blocks, live_blocks));
}

Verdict judge_released(std::uint64_t released_blocks, std::uint64_t live_blocks) {
  return plain(Behaviour::kUnknown, why_released_at_end(released_blocks, live_blocks));
}

Verdict judge_by_elements(const Verdict& elements) {
  return plain(elements.behaviour, why_as_its_elements(elements.why));
}

Verdict judge(const model::SiteHistory& site, const Timeline& timeline) {
  if (!timeline.long_enough()) {
    return plain(Behaviour::kUnknown,
                 why_too_short(timeline.t.size(),
                               timeline.t.empty() ? 0 : timeline.t.back() - timeline.t.front()));
  }
  const Curve curve = curve_of(site, timeline.t, timeline.first);
  if (const Doubling doubling = measure_doubling(curve); doubling.recognized()) {
    return judge_doubling(curve, doubling);
  }
  if (!curve.counts_are_blocks() && curve.births.back() < kLeastSurvivors) {
    return plain(Behaviour::kUnknown, why_few_samples(curve));
  }
  if (auto burst = judge_burst(curve)) {
    return *burst;
  }
  return may_grow(site, timeline) ? judge_growth(site, curve) : judge_level(curve);
}

}  // namespace seep::rank
