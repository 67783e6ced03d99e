#include "cli/analysis.h"

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

Result<model::Report> analyze(const Analysis& analysis, Progress& progress) {
  progress.say("looking for snapshots");
  const Result<std::vector<model::Recording>> recordings =
      read_all(analysis.paths, analysis.selection, progress);
  if (!recordings) {
    return recordings.error();
  }
  progress.say("ranking and reading symbols");
  symbolize::Symbolizer symbolizer(analysis.symbols);
  return report::build_report(*recordings, analysis.report, symbolizer);
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
