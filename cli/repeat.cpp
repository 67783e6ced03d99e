#include "cli/repeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "analyzer/rank/repetitions.h"
#include "analyzer/report/repetitions.h"

namespace seep::cli {
namespace {

constexpr unsigned kLeastSightings = 2;  // of a leak, where each repetition does the same

using Recordings = std::vector<model::Recording>;

struct Repeated {
  std::vector<Analysis> analyses;
  std::vector<Recordings> recordings;
};

Result<model::Report> report_growth(Repeated& repeated, Progress& progress) {
  report::Repetitions repetitions;
  for (unsigned i = 0; i < repeated.recordings.size(); ++i) {
    repetitions.work.push_back(work_of(i));
    repetitions.levels.push_back(report::end_levels(repeated.recordings[i]));
  }
  Analysis& last = repeated.analyses.back();
  last.report.repetitions = std::move(repetitions);
  return analyze(last, repeated.recordings.back(), progress);
}

bool shows(const model::Report& report, const model::Suspect& leak) {
  return std::any_of(report.suspects.begin(), report.suspects.end(), [&](const auto& suspect) {
    return suspect.leak && suspect.id == leak.id && suspect.kind == leak.kind;
  });
}

// How many repetitions show each leak of `report`; a leak that too few show is taken back.
unsigned keep_confirmed(model::Report& report, const std::vector<model::Report>& all) {
  unsigned confirmed = 0;
  for (model::Suspect& suspect : report.suspects) {
    if (!suspect.leak || suspect.suppressed_by) {
      continue;
    }
    const auto seen = std::count_if(all.begin(), all.end(),
                                    [&](const auto& each) { return shows(each, suspect); });
    if (seen >= kLeastSightings) {
      ++confirmed;
      continue;
    }
    suspect.leak = false;
    suspect.behaviour = model::Behaviour::kUnknown;
    suspect.verdict = model::name_of(suspect.behaviour);
    suspect.why =
        fmt::format("a leak in {} of {} repetitions of the same work; {} must show it: {}", seen,
                    all.size(), kLeastSightings, suspect.why);
  }
  report.totals.leak_suspects = confirmed;
  return confirmed;
}

// Of repetitions that all do the same: the one that shows most leaks that another one shows too.
Result<model::Report> report_sightings(const Repeated& repeated, Progress& progress) {
  std::vector<model::Report> all;
  for (std::size_t i = 0; i < repeated.analyses.size(); ++i) {
    Result<model::Report> report = analyze(repeated.analyses[i], repeated.recordings[i], progress);
    if (!report) {
      return report.error();
    }
    all.push_back(std::move(*report));
  }
  std::optional<model::Report> best;
  unsigned most = 0;
  for (const model::Report& each : all) {
    model::Report candidate = each;
    const unsigned confirmed = keep_confirmed(candidate, all);
    if (!best || confirmed >= most) {
      best = std::move(candidate);
      most = confirmed;
    }
  }
  std::stable_sort(best->suspects.begin(), best->suspects.end(),
                   [](const auto& a, const auto& b) { return a.leak && !b.leak; });
  for (std::size_t i = 0; i < best->suspects.size(); ++i) {
    best->suspects[i].rank = static_cast<unsigned>(i + 1);
  }
  return std::move(*best);
}

bool did_more_work(const Repeated& repeated) {
  std::vector<double> work;
  std::vector<std::uint64_t> allocated;
  for (unsigned i = 0; i < repeated.recordings.size(); ++i) {
    work.push_back(work_of(i));
    allocated.push_back(report::allocated_bytes(repeated.recordings[i]));
  }
  return rank::does_more_work(work, allocated);
}

std::string repeated_text(std::size_t times, bool did_more) {
  if (did_more) {
    return fmt::format("seep: {} repetitions, each with twice the work of the one before\n", times);
  }
  return fmt::format(
      "seep: {} repetitions of about the same work: a leak must show in {} of them. To see growth "
      "over repetitions, have {} or more and give CMD its work by {{}} or {}\n",
      times, kLeastSightings, rank::kLeastRepetitions, kRepetitionVariable);
}

Result<model::Report> report_all(Repeated& repeated) {
  Progress progress;
  const bool did_more = did_more_work(repeated);
  progress.say("comparing repetitions");
  Result<model::Report> report =
      did_more ? report_growth(repeated, progress) : report_sightings(repeated, progress);
  fmt::print(stderr, "{}", repeated_text(repeated.recordings.size(), did_more));
  return report;
}

}  // namespace

unsigned work_of(unsigned number) {
  return 1U << number;
}

std::vector<std::string> with_work(std::vector<std::string> command, unsigned work) {
  constexpr std::string_view kPlace = "{}";
  const std::string text = std::to_string(work);
  for (std::string& word : command) {
    for (std::size_t at = word.find(kPlace); at != std::string::npos;
         at = word.find(kPlace, at + text.size())) {
      word.replace(at, kPlace.size(), text);
    }
  }
  return command;
}

int report_repetitions(const RunReportOptions& options, const std::vector<EndedRun>& runs) {
  const int own_status = runs.back().end.exit_status();
  if (own_status != 0 || runs.size() == 1) {
    return report_run(options, runs.back().environment, runs.back().end);
  }
  Repeated repeated;
  for (const EndedRun& run : runs) {
    std::optional<Analysis> analysis = recorded(options, run);
    if (!analysis) {
      return without_report(options, own_status);
    }
    Progress progress;
    Result<Recordings> recordings = read_all(analysis->paths, analysis->selection, progress);
    if (!recordings) {
      fail(recordings.error());
      return without_report(options, own_status);
    }
    repeated.analyses.push_back(std::move(*analysis));
    repeated.recordings.push_back(std::move(*recordings));
  }
  const Result<model::Report> report = report_all(repeated);
  if (!report) {
    fail(report.error());
    return without_report(options, own_status);
  }
  return finish_run(options, *report, repeated.analyses.back().paths.front(), own_status);
}

}  // namespace seep::cli
