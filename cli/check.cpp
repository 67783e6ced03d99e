#include "cli/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analyzer/model/printable.h"
#include "analyzer/report/lines.h"

namespace seep::cli {
namespace {

// Snapshots of the process that shows this suspect in most of them.
unsigned snapshots_behind(const model::Suspect& suspect, const model::Report& report) {
  std::map<std::string, unsigned> taken;
  std::map<std::string, bool> shows;
  const std::size_t count = std::min(report.snapshots.size(), suspect.series_bytes.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& process = report.snapshots[i].process;
    ++taken[process];
    shows[process] = shows[process] || suspect.series_bytes[i] > 0;
  }
  unsigned most = 0;
  for (const auto& [process, snapshots] : taken) {
    most = shows[process] ? std::max(most, snapshots) : most;
  }
  return most;
}

// Memory that nothing points to is judged whatever the number of snapshots (design §2.4).
bool is_lost(const model::Suspect& suspect, const model::Report& report) {
  const bool at_exit = report.scan && report.scan->when == model::ScanTime::kExit;
  return suspect.verdict == "unreachable" ||
         (suspect.unreachable_direct_blocks.value_or(0) > 0 && (at_exit || suspect.recurring));
}

bool can_judge(const model::Suspect& suspect, const model::Report& report) {
  if (is_lost(suspect, report) || !suspect.repetition_bytes.empty()) {
    return true;
  }
  return snapshots_behind(suspect, report) >= kSnapshotsToJudge &&
         suspect.confidence.value_or(1) >= kConfidenceToJudge;
}

std::string place(const model::Suspect& suspect) {
  if (suspect.stack.empty()) {
    return "no stack";
  }
  const model::ReportFrame& frame =
      suspect.stack[std::min<std::size_t>(suspect.blame, suspect.stack.size() - 1)];
  return report::frame_text(frame);
}

bool is_small(const model::Suspect& suspect, const CheckOptions& options) {
  const std::uint64_t held = suspect.verdict == "unreachable"
                                 ? suspect.unreachable_bytes.value_or(suspect.live_bytes)
                                 : suspect.live_bytes;
  return held < options.least_bytes ||
         (suspect.growth_bytes_per_unit &&
          *suspect.growth_bytes_per_unit < static_cast<double>(options.least_per_unit));
}

// What would decide stands in the sentence of each.
std::string unknown_text(const std::vector<const model::Suspect*>& unknown) {
  constexpr std::size_t kMostNamed = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(unknown.size(), kMostNamed); ++i) {
    text += fmt::format("seep: check: unknown {} at {}: {}\n", unknown[i]->id, place(*unknown[i]),
                        model::printable(unknown[i]->why));
  }
  if (!unknown.empty()) {
    text += fmt::format("seep: check: growth of {} call path{} is unknown (report --all)\n",
                        unknown.size(), unknown.size() == 1 ? "" : "s");
  }
  return text;
}

std::string line_of(const model::Suspect& suspect, const char* what) {
  return fmt::format("seep: check: {} {} ({}) at {}\n", what, suspect.id, suspect.verdict,
                     place(suspect));
}

}  // namespace

CheckResult check(const model::Report& report, const CheckOptions& options) {
  CheckResult result;
  for (const model::Suspect& suspect : report.suspects) {
    if (!suspect.leak) {
      if (suspect.behaviour == model::Behaviour::kUnknown && !suspect.suppressed_by) {
        result.unknown.push_back(&suspect);
      }
    } else if (suspect.suppressed_by) {
      ++result.suppressed;
    } else if (is_small(suspect, options)) {
      result.small.push_back(&suspect);
    } else if (can_judge(suspect, report)) {
      result.leaks.push_back(&suspect);
    } else {
      result.not_judged.push_back(&suspect);
    }
  }
  std::stable_sort(result.unknown.begin(), result.unknown.end(),
                   [](const auto* a, const auto* b) { return a->live_bytes > b->live_bytes; });
  return result;
}

std::set<std::string> ids_not_judged(const model::Report& report) {
  std::set<std::string> ids;
  for (const model::Suspect* suspect : check(report, {}).not_judged) {
    ids.insert(suspect->id);
  }
  return ids;
}

std::string to_text(const CheckResult& result) {
  std::string text;
  bool uncalibrated = false;
  for (const model::Suspect* leak : result.leaks) {
    text += line_of(*leak, "leak");
    uncalibrated = uncalibrated || !leak->confidence;
  }
  for (const model::Suspect* suspect : result.not_judged) {
    text += line_of(*suspect, "not judged:");
  }
  for (const model::Suspect* suspect : result.small) {
    text += line_of(*suspect, "below the threshold:");
  }
  text += unknown_text(result.unknown);
  text += fmt::format(
      "seep: check: {} {}, {} not judged (fewer than {} snapshots, or confidence below {}), "
      "{} suppressed\n",
      result.leaks.size(), result.leaks.size() == 1 ? "leak" : "leaks", result.not_judged.size(),
      kSnapshotsToJudge, kConfidenceToJudge, result.suppressed);
  if (uncalibrated) {
    text +=
        "seep: check: confidence is not calibrated in this version; judged by the verdict alone\n";
  }
  return text;
}

}  // namespace seep::cli
