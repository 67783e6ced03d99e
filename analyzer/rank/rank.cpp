#include "analyzer/rank/rank.h"

#include <algorithm>
#include <tuple>

#include "analyzer/rank/curve.h"
#include "analyzer/rank/elements.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/judge.h"
#include "analyzer/rank/kept.h"
#include "analyzer/rank/merge_histories.h"

namespace seep::rank {
namespace {

using model::Behaviour;

// So many samples are expected of a leak that gets kLeastSurvivors of them in 39 of 40 runs:
// n - 2·sqrt(n) = 18.
constexpr double kSureSamples = 29;

std::vector<double> times_after_warmup(const model::Recording& recording, double warmup_s) {
  std::vector<double> times;
  for (const model::Moment& moment : recording.moments) {
    if (moment.time_s >= warmup_s) {
      times.push_back(moment.time_s);
    }
  }
  return times;
}

bool was_used(const model::Recording& recording, std::size_t site) {
  const model::Counters& last = recording.sites[site].at.back();
  return last.allocated_blocks != 0 || last.live_blocks != 0 ||
         was_lost(recording, static_cast<std::uint32_t>(site));
}

RankedSite ranked(std::size_t recording, std::size_t site, Verdict verdict) {
  RankedSite result;
  result.recording = recording;
  result.site = site;
  result.behaviour = verdict.behaviour;
  result.leak = verdict.behaviour == model::Behaviour::kGrowing;
  result.confidence = confidence_of(verdict.bin);
  result.why = std::move(verdict.why);
  result.growth_bytes_per_s = verdict.growth_bytes_per_s;
  result.has_growth = verdict.has_growth;
  result.growth_from_s = verdict.growth_from_s;
  result.growth_range = verdict.growth_range;
  return result;
}

// `site` is the history of these sites together. What grows only by what an interpreter keeps to
// use it again does not grow. What a scan at exit has found so may have been held until then, and
// be a growth that the end of the program released.
Verdict judge_used(const model::Recording& recording, std::span<const std::size_t> sites,
                   const model::SiteHistory& site, const Timeline& timeline) {
  Verdict verdict = judge(site, timeline);
  if (verdict.behaviour != Behaviour::kGrowing) {
    return verdict;
  }
  const auto grows_without = [&](const KeptBlocks& kept) {
    return kept.blocks == 0 ||
           judge(without(site, kept), timeline).behaviour == Behaviour::kGrowing;
  };
  const std::uint64_t live_blocks = site.at.back().live_blocks;
  const KeptBlocks kept = kept_of(recording, sites, site, SeenBy::kScansWhileRunning);
  if (!grows_without(kept)) {
    return judge_kept(kept.blocks, live_blocks);
  }
  const KeptBlocks at_end = kept_of(recording, sites, site, SeenBy::kAnyScan);
  if (!grows_without(at_end) && may_fill_lists(recording, sites, at_end.blocks)) {
    return judge_released(at_end.blocks, live_blocks);
  }
  return verdict;
}

std::vector<Verdict> judge_all(const model::Recording& recording, const Timeline& timeline) {
  std::vector<Verdict> verdicts;
  verdicts.reserve(recording.sites.size());
  for (std::size_t s = 0; s < recording.sites.size(); ++s) {
    verdicts.push_back(was_used(recording, s)
                           ? judge_used(recording, {&s, 1}, recording.sites[s], timeline)
                           : Verdict());
  }
  return verdicts;
}

// A container that doubles is as the site that fills it: growing if one of those grows, else what
// the first of them is.
void follow_elements(const model::Recording& recording, const Timeline& timeline,
                     std::vector<Verdict>& verdicts) {
  for (Verdict& container : verdicts) {
    const Verdict* filling = nullptr;
    for (std::size_t s = 0; container.doubling && s < verdicts.size(); ++s) {
      const bool better = filling == nullptr || verdicts[s].behaviour == Behaviour::kGrowing;
      if (&verdicts[s] != &container && better &&
          filled_by(*container.doubling, recording.sites[s], timeline)) {
        filling = &verdicts[s];
      }
    }
    if (filling != nullptr && filling->behaviour != Behaviour::kGrowing) {
      container = judge_by_elements(*filling);
    }
  }
}

// Verdicts from time were counted; what a scan has decided rests on something else.
void keep_calibrated(std::vector<RankedSite>& sites) {
  for (RankedSite& site : sites) {
    if (site.leak != (site.behaviour == Behaviour::kGrowing)) {
      site.confidence.reset();
    }
  }
}

}  // namespace

std::vector<RankedSite> rank_sites(const std::vector<model::Recording>& recordings,
                                   const Options& options) {
  std::vector<RankedSite> result;
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    const model::Recording& recording = recordings[r];
    const std::vector<double> times = times_after_warmup(recording, options.warmup_s);
    const Timeline timeline{times, recording.moments.size() - times.size()};
    std::vector<Verdict> verdicts = judge_all(recording, timeline);
    follow_elements(recording, timeline, verdicts);
    for (std::size_t s = 0; s < recording.sites.size(); ++s) {
      if (was_used(recording, s)) {
        result.push_back(ranked(r, s, std::move(verdicts[s])));
      }
    }
  }
  judge_unreachable(recordings, result);
  keep_calibrated(result);
  const auto live = [&](const RankedSite& site) {
    return recordings[site.recording].sites[site.site].at.back().live_bytes;
  };
  // Design §2.3: leaks first, then the lower bound of growth, unreachable bytes, live bytes, and
  // input order.
  const auto key = [&](const RankedSite& site) {
    const std::uint64_t lost = site.lost ? site.lost->bytes : 0;
    return std::tuple(!site.leak, -site.growth_range.low, ~lost, ~live(site), site.recording,
                      site.site);
  };
  std::sort(result.begin(), result.end(),
            [&](const RankedSite& a, const RankedSite& b) { return key(a) < key(b); });
  return result;
}

RankedSite rank_together(const std::vector<model::Recording>& recordings, std::size_t recording,
                         std::span<const std::size_t> sites, const Options& options) {
  const model::Recording& of = recordings[recording];
  const std::vector<double> times = times_after_warmup(of, options.warmup_s);
  const Timeline timeline{times, of.moments.size() - times.size()};
  const bool is_judged = timeline.long_enough() && sites.size() > 1;
  return ranked(recording, sites.front(),
                is_judged ? judge_used(of, sites, merge_histories(of, sites), timeline)
                          : judge_used(of, sites.first(1), of.sites[sites.front()], timeline));
}

std::optional<double> growth_bytes_per_s(const model::Recording& recording, std::size_t site,
                                         const Options& options) {
  const std::vector<double> times = times_after_warmup(recording, options.warmup_s);
  const Timeline timeline{times, recording.moments.size() - times.size()};
  if (!timeline.long_enough()) {
    return std::nullopt;
  }
  const Curve curve = curve_of(recording.sites[site], times, timeline.first);
  return measure_growth(curve, curve.begin_s()).slope;
}

std::optional<double> smallest_leak_bytes_per_s(const model::Recording& recording,
                                                const Options& options) {
  const std::vector<double> times = times_after_warmup(recording, options.warmup_s);
  const Timeline timeline{times, 0};
  if (!timeline.long_enough()) {
    return std::nullopt;
  }
  const double smallest = recording.process.mode == model::Mode::kSample
                              ? kSureSamples * static_cast<double>(recording.process.sample_bytes)
                              : kLeastBytes;
  return smallest / (times.back() - times.front());
}

}  // namespace seep::rank
