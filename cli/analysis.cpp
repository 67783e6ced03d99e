#include "cli/analysis.h"

#include <filesystem>
#include <utility>

#include "analyzer/report/count_calls.h"
#include "cli/text_file.h"

namespace seep::cli {
namespace {

constexpr std::size_t kMostReportBytes = 1 << 30;

// A report in JSON, or else what analyze() says of a recording.
Result<report::Baseline> read_baseline(const Analysis& analysis, Progress& progress) {
  report::Baseline baseline;
  baseline.name = analysis.accepted.baseline;
  if (baseline.name.ends_with(".json") && !std::filesystem::is_directory(baseline.name)) {
    const Result<std::string> text =
        read_text(baseline.name, kMostReportBytes, "correct --baseline");
    if (!text) {
      return text.error();
    }
    auto suspects = report::suspects_of_json(*text, baseline.name);
    if (!suspects) {
      return suspects.error();
    }
    baseline.suspects = std::move(*suspects);
    return baseline;
  }
  Analysis before = analysis;
  before.paths = {baseline.name};
  before.selection = {};
  before.accepted = {};
  before.accepted.without_variable = true;
  before.report.repetitions = {};
  Result<model::Report> report = analyze(before, progress);
  if (!report) {
    return report.error();
  }
  baseline.suspects = std::move(report->suspects);
  return baseline;
}

}  // namespace

Format format_of_file(const std::string& file) {
  if (file.ends_with(".json")) {
    return Format::kJson;
  }
  return file.ends_with(".md") ? Format::kMarkdown : Format::kText;
}

Result<std::vector<model::Recording>> read_all(const std::vector<std::string>& paths,
                                               const read::Selection& selection,
                                               Progress& progress) {
  return read::read_recordings(paths, selection, [&](std::size_t done, std::size_t all) {
    progress.say("reading snapshots", done, all);
  });
}

static Error nothing_under(const std::string& function) {
  return {ErrorKind::kUsage,
          {},
          {},
          {},
          "no allocation has " + function + " in its call stack",
          "name a function as `seep report --all --id ID` shows it, without parameters"};
}

static Result<Analyzed> analyze_recordings(const Analysis& analysis,
                                           std::vector<model::Recording> recordings,
                                           Progress& progress) {
  Result<std::vector<suppress::Suppression>> suppressions = read_suppressions(analysis.accepted);
  if (!suppressions) {
    return suppressions.error();
  }
  std::vector<const model::Recording*> all;
  all.reserve(recordings.size());
  for (const model::Recording& recording : recordings) {
    all.push_back(&recording);
  }
  for (std::string& complaint : add_suppressions_of_programs(all, *suppressions)) {
    recordings.front().skipped.push_back(std::move(complaint));
  }
  report::Options options = analysis.report;
  if (!analysis.accepted.baseline.empty()) {
    Result<report::Baseline> baseline = read_baseline(analysis, progress);
    if (!baseline) {
      return baseline.error();
    }
    options.baseline = std::move(*baseline);
  }
  progress.say("ranking and reading symbols");
  symbolize::Options symbols = analysis.symbols;
  symbols.linkage_names = need_linkage_names(*suppressions);
  options.suppressions = std::move(*suppressions);
  auto symbolizer = std::make_unique<symbolize::Symbolizer>(symbols);
  if (!analysis.per.empty()) {
    const auto counted_by = report::count_calls(recordings, analysis.per, *symbolizer);
    if (!counted_by) {
      return nothing_under(analysis.per);
    }
    options.counted_by = *counted_by;
  }
  model::Report report = report::build_report(recordings, options, *symbolizer);
  return Analyzed{std::move(recordings), std::move(symbolizer), std::move(report)};
}

Result<Analyzed> analyze_whole(const Analysis& analysis, Progress& progress) {
  progress.say("looking for snapshots");
  Result<std::vector<model::Recording>> recordings =
      read_all(analysis.paths, analysis.selection, progress);
  return recordings ? analyze_recordings(analysis, std::move(*recordings), progress)
                    : recordings.error();
}

Result<model::Report> analyze(const Analysis& analysis, std::vector<model::Recording> recordings,
                              Progress& progress) {
  Result<Analyzed> analyzed = analyze_recordings(analysis, std::move(recordings), progress);
  return analyzed ? Result<model::Report>(std::move(analyzed->report)) : analyzed.error();
}

Result<model::Report> analyze(const Analysis& analysis, Progress& progress) {
  Result<Analyzed> analyzed = analyze_whole(analysis, progress);
  return analyzed ? Result<model::Report>(std::move(analyzed->report)) : analyzed.error();
}

std::string print(const model::Report& report, Format format, const report::TextOptions& text) {
  switch (format) {
    case Format::kJson:
      return report::to_json(report);
    case Format::kMarkdown:
      return report::to_markdown(report);
    case Format::kText:
      break;
  }
  return report::to_text(report, text);
}

}  // namespace seep::cli
