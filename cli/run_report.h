// The end of `seep run`: notes how the program ended, finds what it recorded, and reports it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/report/build_report.h"
#include "cli/accepted.h"
#include "cli/analysis.h"
#include "cli/launch/child.h"
#include "cli/launch/environment.h"
#include "cli/options.h"
#include "cli/output.h"

namespace seep::cli {

struct RunReportOptions {
  std::vector<std::string> files;  // of the report, by their names; none: a summary on stderr
  bool force = false;              // overwrite them
  report::Options report;          // how it is made
  CheckOptions check;
  AcceptOptions accepted;
};

// Returns what `seep run` ends with: the program's own status, or --error-exitcode when the program
// succeeded and --check found a leak. A report that cannot be made is said and changes no status,
// except that --check cannot pass then: 125.
int report_run(const RunReportOptions& options, const launch::TrackedEnvironment& environment,
               const launch::ChildEnd& end);

// A program that has ended, and how it was started.
struct EndedRun {
  launch::TrackedEnvironment environment;
  launch::ChildEnd end;
};

// What to read for the report of a run, once how it ended is noted beside its recording; unset when
// there is no recording, which is said.
std::optional<Analysis> recorded(const RunReportOptions& options, const EndedRun& run);

// The end of report_run: prints the report and judges it.
int finish_run(const RunReportOptions& options, const model::Report& report,
               const std::string& directory, int own_status);

// What it ends with when there is no report.
int without_report(const RunReportOptions& options, int own_status);

}  // namespace seep::cli
