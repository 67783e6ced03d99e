// From paths to a report or its text: what `run`, `report` and `diff` have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/model/result.h"
#include "analyzer/read/read_recording.h"
#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "analyzer/symbolize/symbolizer.h"
#include "cli/accepted.h"
#include "cli/progress.h"

namespace seep::cli {

enum class Format { kText, kJson, kMarkdown };

// By the end of the name: .json, .md, else text.
Format format_of_file(const std::string& file);

struct Analysis {
  std::vector<std::string> paths;
  read::Selection selection;
  report::Options report;
  symbolize::Options symbols;
  std::string per;         // the function whose calls are the units of work; empty: as recorded
  AcceptOptions accepted;  // read by analyze()
};

Result<std::vector<model::Recording>> read_all(const std::vector<std::string>& paths,
                                               const read::Selection& selection,
                                               Progress& progress);

// A report with what it was made from, for those that show more than it says.
struct Analyzed {
  std::vector<model::Recording> recordings;
  std::unique_ptr<symbolize::Symbolizer> symbolizer;
  model::Report report;
};

Result<Analyzed> analyze_whole(const Analysis& analysis, Progress& progress);

// The same for recordings that were read before.
Result<model::Report> analyze(const Analysis& analysis, std::vector<model::Recording> recordings,
                              Progress& progress);

Result<model::Report> analyze(const Analysis& analysis, Progress& progress);

std::string print(const model::Report& report, Format format, const report::TextOptions& text);

}  // namespace seep::cli
