#include "analyzer/report/build_report.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "analyzer/rank/repetitions.h"
#include "analyzer/report/accept.h"
#include "analyzer/report/conclude.h"
#include "analyzer/report/containers.h"
#include "analyzer/report/group.h"
#include "analyzer/report/limit.h"
#include "analyzer/report/name_suspect.h"
#include "analyzer/report/node_names.h"
#include "analyzer/report/per_unit.h"
#include "analyzer/report/scans.h"
#include "analyzer/report/user_code.h"

namespace seep::report {
namespace {

using model::Recording;
using rank::RankedSite;

// What every suspect is filled from.
struct Input {
  const std::vector<Recording>& recordings;
  const std::vector<RankedSite>& ranked;
  const std::vector<std::size_t>& first_snapshot;  // of each recording, in Report::snapshots
  std::size_t snapshots;
  const rank::Options& rank;

  [[nodiscard]] Grouping grouping() const { return {recordings, ranked, rank}; }
  [[nodiscard]] const Recording& recording_of(const RankedSite& site) const {
    return recordings[site.recording];
  }
  [[nodiscard]] const model::SiteHistory& history_of(const RankedSite& site) const {
    return recording_of(site).sites[site.site];
  }
};

// Processes and sites are sampled independently: variances add up.
void add_error(std::optional<double>& sum, double error) {
  sum = std::hypot(sum.value_or(0), error);
}

void add_member(model::Suspect& suspect, const Input& input, const RankedSite& site) {
  const model::SiteHistory& history = input.history_of(site);
  const model::Counters& last = history.at.back();
  suspect.live_bytes += last.live_bytes;
  suspect.live_blocks += last.live_blocks;
  if (!history.estimates.empty()) {
    add_error(suspect.live_bytes_error, history.estimates.back().live_bytes_error);
  }
  suspect.allocated_blocks += last.allocated_blocks;
  suspect.freed_blocks += last.allocated_blocks + history.inherited_blocks - last.live_blocks;
  suspect.oldest_s = std::max(suspect.oldest_s, static_cast<double>(history.oldest_ms) / 1000);
  suspect.members.push_back({site.recording, site.site});
  const std::size_t first = input.first_snapshot[site.recording];
  for (std::size_t i = 0; i < history.at.size(); ++i) {
    suspect.series_bytes[first + i] += history.at[i].live_bytes;
    suspect.series_blocks[first + i] += history.at[i].live_blocks;
  }
}

// What the processes lose by a leak adds up.
void add_verdict(model::Suspect& suspect, const RankedSite& verdict) {
  if (verdict.has_growth) {
    suspect.growth_bytes_per_s =
        suspect.growth_bytes_per_s.value_or(0) + verdict.growth_bytes_per_s;
    const model::Range so_far = suspect.growth_range.value_or(model::Range{});
    suspect.growth_range = {so_far.low + verdict.growth_range.low,
                            so_far.high + verdict.growth_range.high};
    suspect.growth_from_s =
        std::min(suspect.growth_from_s.value_or(verdict.growth_from_s), verdict.growth_from_s);
  }
}

// Of what is no leak too, so that a slow rise can be read there; without an interval, which only a
// growing site has.
void add_plain_growth(model::Suspect& suspect, const Input& input, const RankedSite& site) {
  if (site.has_growth) {
    return;  // of a lost tree's branches: it is the tree's, and add_member has taken it
  }
  const auto growth = rank::growth_bytes_per_s(input.recording_of(site), site.site, input.rank);
  if (growth) {
    suspect.growth_bytes_per_s = suspect.growth_bytes_per_s.value_or(0) + *growth;
  }
}

void add_growth_per_unit(model::Suspect& suspect, const Input& input, const Group& group) {
  std::vector<RankedSite> members;
  for (const std::size_t member : group.members) {
    members.push_back(input.ranked[member]);
  }
  set_growth_per_unit(suspect, input.recordings, members, input.rank.warmup_s);
}

// In how many processes of the program the suspect shows: as a leak if it is one.
void count_workers(model::Suspect& suspect, const Input& input, const Group& group) {
  const std::string& exe = input.recording_of(input.ranked[group.members.front()]).process.exe;
  suspect.workers_of = static_cast<unsigned>(
      std::count_if(input.recordings.begin(), input.recordings.end(),
                    [&](const Recording& recording) { return recording.process.exe == exe; }));
  std::set<std::size_t> seen;
  for (const RankedSite& verdict : group.verdicts) {
    seen.insert(verdict.recording);
  }
  for (const std::size_t member : group.members) {
    if (!group.leak) {
      seen.insert(input.ranked[member].recording);
    }
  }
  suspect.workers_seen = static_cast<unsigned>(seen.size());
}

model::Suspect suspect_of(const Input& input, const Group& group) {
  const RankedSite verdict = leading_verdict(group, input.grouping());
  model::Suspect suspect;
  suspect.leak = group.leak;
  suspect.behaviour = verdict.behaviour;
  suspect.verdict = model::name_of(verdict.behaviour);
  suspect.confidence = verdict.confidence;
  suspect.why = verdict.why;
  suspect.kind = group.paths.front().kind;
  suspect.sites = static_cast<unsigned>(group.paths.size());
  suspect.series_bytes.resize(input.snapshots);
  suspect.series_blocks.resize(input.snapshots);
  for (const RankedSite& of_process : group.verdicts) {
    add_verdict(suspect, of_process);
  }
  for (const std::size_t member : group.members) {
    const RankedSite& site = input.ranked[member];
    add_member(suspect, input, site);
    if (!suspect.leak && site.has_growth) {
      add_verdict(suspect,
                  site);  // lost with the blocks of another suspect, which it is folded into
    } else if (!suspect.leak) {
      add_plain_growth(suspect, input, site);
    }
  }
  add_growth_per_unit(suspect, input, group);
  count_workers(suspect, input, group);
  return suspect;
}

void add_repetitions(model::Suspect& suspect, const Repetitions& repetitions,
                     const std::vector<std::uint64_t>& path_keys, const Group& group) {
  if (repetitions.work.empty()) {
    return;
  }
  suspect.repetition_bytes.resize(repetitions.work.size());
  std::set<std::uint64_t> counted;  // a path of several processes has one level
  for (const std::size_t member : group.members) {
    if (!counted.insert(path_keys[member]).second) {
      continue;
    }
    const std::vector<std::uint64_t> levels = levels_of(repetitions, path_keys[member]);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      suspect.repetition_bytes[i] += levels[i];
    }
  }
  if (suspect.leak) {
    suspect.growth_bytes_per_unit =
        rank::judge_repetitions(repetitions.work, suspect.repetition_bytes).bytes_per_work;
  }
}

Members members_of(const Input& input, const Group& group) {
  Members members;
  for (const std::size_t member : group.members) {
    members.push_back(&input.ranked[member]);
  }
  return members;
}

void number_in_order(std::vector<model::Suspect>& suspects) {
  const bool per_unit = ranks_per_unit(suspects);
  const auto order = [&](const model::Suspect& suspect) {
    const auto& growth = per_unit ? suspect.growth_per_unit_range : suspect.growth_range;
    const double low = suspect.leak && growth ? growth->low : 0;
    return std::tuple(!suspect.leak, suspect.suppressed_by.has_value(), -low,
                      ~suspect.unreachable_bytes.value_or(0), ~suspect.live_bytes,
                      std::string_view(suspect.id));
  };
  std::stable_sort(suspects.begin(), suspects.end(),
                   [&](const auto& a, const auto& b) { return order(a) < order(b); });
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    suspects[i].rank = static_cast<unsigned>(i + 1);
  }
}

std::vector<std::size_t> add_processes(model::Report& report,
                                       const std::vector<Recording>& recordings) {
  std::vector<std::size_t> first_snapshot;
  for (const Recording& recording : recordings) {
    first_snapshot.push_back(report.snapshots.size());
    report.processes.push_back(
        {recording.id, recording.process, recording.end, recording.moments.back().time_s});
    for (const model::Moment& moment : recording.moments) {
      report.snapshots.push_back({recording.id, moment});
    }
    for (std::size_t i = 0; i < recording.losses.size(); ++i) {
      report.losses[format::kLossNames[i].name] += recording.losses[i];
    }
  }
  return first_snapshot;
}

void add_suspects(model::Report& report, const Input& input, const Options& options,
                  symbolize::Symbolizer& symbolizer) {
  NodeNames names(input.recordings, symbolizer);
  const std::vector<Group> groups =
      options.by_site ? each_site(input.grouping()) : group_sites(input.grouping(), names);
  const std::size_t kept =
      options.top == 0 ? groups.size() : std::min<std::size_t>(groups.size(), options.top);
  const std::vector<std::uint64_t> keys = path_keys(input.recordings, input.ranked);
  const std::vector<FoundContainer> containers = find_containers(input.recordings, names);
  report.containers = name_containers(containers, input.recordings, symbolizer);
  std::vector<Members> members;
  SuspectNamer namer(input.grouping(), symbolizer, options);
  // A leak behind the last row may come up where one before it is suppressed.
  for (std::size_t i = 0; i < groups.size() && (i < kept || groups[i].leak); ++i) {
    report.suspects.push_back(suspect_of(input, groups[i]));
    namer.name(report.suspects.back(), groups[i]);
    add_containers(report.suspects.back(), groups[i], input.grouping(), containers,
                   input.first_snapshot);
    add_repetitions(report.suspects.back(), options.repetitions, keys, groups[i]);
    members.push_back(members_of(input, groups[i]));
    report.suspects.back().unit = report.work ? report.work->unit : "";
  }
  add_scans(report.suspects, std::move(members), !options.by_site, input.recordings, symbolizer);
  report.suppressions = accept(options.suppressions, report.suspects);
  if (options.baseline) {
    accept(*options.baseline, report.suspects);
  }
  number_in_order(report.suspects);
  for (const model::Suspect& suspect : report.suspects) {
    report.totals.leak_suspects += suspect.leak && !suspect.suppressed_by ? 1 : 0;
    report.totals.suppressed_suspects += suspect.leak && suspect.suppressed_by ? 1 : 0;
  }
  report.suspects.resize(std::min(report.suspects.size(), kept));
  make_ids_unique(report.suspects);
  for (model::Suspect& suspect : report.suspects) {
    if (suspect.id == options.all_paths_of && !options.by_site) {
      const auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& one) {
        return SuspectNamer::is_of(suspect, one);
      });
      namer.name_all_paths(suspect, *group);
    }
  }
  report.user_lines = shared_user_lines(report.suspects);
  report.totals.rows_omitted = static_cast<unsigned>(groups.size() - kept);
}

// Known only when nothing was found: then it bounds what may have been missed.
std::optional<double> smallest_leak_per_h(const std::vector<Recording>& recordings,
                                          const rank::Options& options) {
  const auto smallest = rank::smallest_leak_bytes_per_s(main_recording(recordings), options);
  return smallest ? std::optional(*smallest * 3600) : std::nullopt;
}

}  // namespace

model::Report build_report(const std::vector<Recording>& recordings, const Options& options,
                           symbolize::Symbolizer& symbolizer) {
  model::Report report;
  for (const format::LossName& loss : format::kLossNames) {
    report.losses[loss.name] = 0;
  }
  if (recordings.empty()) {
    report.conclusion = {"unknown", "no recording was given", "name a recording"};
    return report;
  }
  const std::vector<std::size_t> first_snapshot = add_processes(report, recordings);
  std::vector<RankedSite> ranked = rank::rank_sites(recordings, options.rank);
  if (!options.repetitions.work.empty()) {
    judge_by_repetitions(options.repetitions, recordings, ranked);
  }
  report.repetitions = options.repetitions.work;
  report.accounting = main_recording(recordings).moments.back().accounting;
  report.totals = total_of(recordings);
  add_scan_totals(report, recordings);
  report.work = work_of(recordings, options.unit, options.counted_by);
  add_suspects(report, {recordings, ranked, first_snapshot, report.snapshots.size(), options.rank},
               options, symbolizer);
  if (report.totals.leak_suspects == 0) {
    report.totals.smallest_leak_seen_bytes_per_h = smallest_leak_per_h(recordings, options.rank);
  }
  report.conclusion = options.repetitions.work.empty() ? conclude(report, recordings, options.rank)
                                                       : conclude(options.repetitions, report);
  report.totals.limit = nearest_limit(recordings, options.limit_bytes, options.rank.warmup_s,
                                      report.conclusion.cause != "none", report.work);
  report.notes = notes_on(recordings);
  const auto& warnings = symbolizer.warnings();
  report.notes.insert(report.notes.end(), warnings.begin(), warnings.end());
  return report;
}

}  // namespace seep::report
