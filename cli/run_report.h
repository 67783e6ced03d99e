// The end of `seep run`: notes how the program ended, finds what it recorded, and reports it.
#pragma once

#include "analyzer/report/build_report.h"
#include "cli/launch/child.h"
#include "cli/launch/environment.h"
#include "cli/options.h"
#include "cli/output.h"

namespace seep::cli {

struct RunReportOptions {
  Destination destination;  // without a file: a summary on stderr
  report::Options report;   // how it is made
  CheckOptions check;
};

// Returns what `seep run` ends with: the program's own status, or --error-exitcode when the program
// succeeded and --check found a leak. A report that cannot be made is said and changes no status,
// except that --check cannot pass then: 125.
int report_run(const RunReportOptions& options, const launch::TrackedEnvironment& environment,
               const launch::ChildEnd& end);

}  // namespace seep::cli
