// What `--check` decides: is there a leak that nobody suppressed, as far as that can be judged.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "analyzer/model/report.h"
#include "cli/options.h"

namespace seep::cli {

// Growth is judged where a process that shows it left at least this many snapshots (design §2.4).
inline constexpr unsigned kSnapshotsToJudge = 8;
inline constexpr double kConfidenceToJudge = 0.9;

struct CheckResult {
  std::vector<const model::Suspect*> leaks;  // into the report
  std::vector<const model::Suspect*>
      not_judged;                            // leaks by their verdict, on too little to fail for
  std::vector<const model::Suspect*> small;  // leaks below a threshold of the options
  unsigned suppressed = 0;
  // Call paths whose behaviour is unknown: too few or too short to tell. The largest come first.
  std::vector<const model::Suspect*> unknown;
};

CheckResult check(const model::Report& report, const CheckOptions& options);
CheckResult check(model::Report&&, const CheckOptions&) = delete;  // the result points into it

// Ids of leaks that --check would not end in a failure for.
std::set<std::string> ids_not_judged(const model::Report& report);

// A few lines for stderr: each leak, what was not judged, and by what it was judged.
std::string to_text(const CheckResult& result);

}  // namespace seep::cli
