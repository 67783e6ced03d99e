#include "analyzer/report/repetitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>

#include "analyzer/model/stack_key.h"
#include "analyzer/rank/repetitions.h"

namespace seep::report {
namespace {

using model::Recording;
using rank::RankedSite;

std::uint64_t key_of(std::uint64_t stack, const Recording& recording, model::SiteKind kind) {
  const std::uint64_t program = std::hash<std::string>()(recording.process.exe);
  return stack ^ (program * 0x9E3779B97F4A7C15ULL) ^ static_cast<std::uint64_t>(kind);
}

// What it held tells what it does; the curve of so short a run does not.
model::Behaviour behaviour_of(const std::vector<std::uint64_t>& bytes) {
  if (bytes.back() == 0) {
    return model::Behaviour::kSteady;
  }
  return bytes.back() == bytes.front() ? model::Behaviour::kOneTime : model::Behaviour::kPlateau;
}

void judge_site(RankedSite& site, const rank::RepetitionVerdict& verdict,
                const std::vector<std::uint64_t>& bytes) {
  const bool is_open =
      site.behaviour == model::Behaviour::kGrowing || site.behaviour == model::Behaviour::kUnknown;
  if (!verdict.grows && !is_open) {
    return;
  }
  const bool is_lost = site.lost && site.lost->is_leak;
  const bool is_others = site.lost && site.lost->lost_with && site.lost->is_whole();
  site.leak = is_lost || (verdict.grows && !is_others);
  site.behaviour = verdict.grows ? model::Behaviour::kGrowing : behaviour_of(bytes);
  site.why = verdict.why;
  site.confidence.reset();  // it was of the verdict in time
  site.has_growth = false;  // in time: it grows with the work
  site.growth_bytes_per_s = 0;
  site.growth_range = {};
}

}  // namespace

EndLevels end_levels(const std::vector<Recording>& recordings) {
  EndLevels most;
  for (const Recording& recording : recordings) {
    const std::vector<std::uint64_t> stacks = model::stack_keys(recording.stacks);
    EndLevels levels;
    for (const model::SiteHistory& site : recording.sites) {
      levels[key_of(stacks[site.node], recording, site.kind)] += site.at.back().live_bytes;
    }
    for (const auto& [key, bytes] : levels) {
      most[key] = std::max(most[key], bytes);  // a sum would grow with the number of processes
    }
  }
  return most;
}

std::vector<std::uint64_t> levels_of(const Repetitions& repetitions, std::uint64_t key) {
  std::vector<std::uint64_t> bytes;
  for (const EndLevels& levels : repetitions.levels) {
    const auto found = levels.find(key);
    bytes.push_back(found == levels.end() ? 0 : found->second);
  }
  return bytes;
}

std::vector<std::uint64_t> path_keys(const std::vector<Recording>& recordings,
                                     const std::vector<RankedSite>& ranked) {
  std::vector<std::vector<std::uint64_t>> stacks;
  stacks.reserve(recordings.size());
  for (const Recording& recording : recordings) {
    stacks.push_back(model::stack_keys(recording.stacks));
  }
  std::vector<std::uint64_t> keys;
  for (const RankedSite& site : ranked) {
    const Recording& recording = recordings[site.recording];
    const model::SiteHistory& history = recording.sites[site.site];
    keys.push_back(key_of(stacks[site.recording][history.node], recording, history.kind));
  }
  return keys;
}

void judge_by_repetitions(const Repetitions& repetitions, const std::vector<Recording>& recordings,
                          std::vector<RankedSite>& ranked) {
  const std::vector<std::uint64_t> keys = path_keys(recordings, ranked);
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const std::vector<std::uint64_t> bytes = levels_of(repetitions, keys[i]);
    judge_site(ranked[i], rank::judge_repetitions(repetitions.work, bytes), bytes);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const RankedSite& a, const RankedSite& b) { return a.leak && !b.leak; });
}

model::Conclusion conclude(const Repetitions& repetitions, const model::Report& report) {
  const std::string over = fmt::format("over {} repetitions", repetitions.work.size());
  const unsigned leaks = report.totals.leak_suspects;
  if (leaks == 0) {
    return {"none", "nothing holds more for more work, " + over, "nothing to do"};
  }
  const auto grow = std::count_if(report.suspects.begin(), report.suspects.end(),
                                  [](const model::Suspect& suspect) {
                                    return suspect.leak && !suspect.suppressed_by &&
                                           suspect.behaviour == model::Behaviour::kGrowing;
                                  });
  const char* what = grow == 0 ? "memory is lost at the end" : "what is held grows with the work";
  return {"leak", fmt::format("{} leak{}, {}: {}", leaks, leaks == 1 ? "" : "s", over, what),
          "read the first suspect's blamed frame: what should release these blocks?"};
}

std::uint64_t allocated_bytes(const std::vector<Recording>& recordings) {
  std::uint64_t bytes = 0;
  for (const Recording& recording : recordings) {
    for (const model::SiteHistory& site : recording.sites) {
      bytes += site.at.back().allocated_bytes;
    }
  }
  return bytes;
}

}  // namespace seep::report
