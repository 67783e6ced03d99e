#include "cli/analysis.h"

#include "analyzer/report/count_calls.h"

namespace seep::cli {

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

Result<model::Report> analyze(const Analysis& analysis, Progress& progress) {
  progress.say("looking for snapshots");
  Result<std::vector<model::Recording>> recordings =
      read_all(analysis.paths, analysis.selection, progress);
  if (!recordings) {
    return recordings.error();
  }
  progress.say("ranking and reading symbols");
  symbolize::Symbolizer symbolizer(analysis.symbols);
  report::Options options = analysis.report;
  if (!analysis.per.empty()) {
    const auto counted_by = report::count_calls(*recordings, analysis.per, symbolizer);
    if (!counted_by) {
      return nothing_under(analysis.per);
    }
    options.counted_by = *counted_by;
  }
  return report::build_report(*recordings, options, symbolizer);
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
