// What `--check` decides: is there a leak that nobody suppressed, as far as that can be judged.
#pragma once

#include <string>
#include <vector>

#include "analyzer/model/report.h"

namespace seep::cli {

// Growth is judged where a process that shows it left at least this many snapshots (design §2.4).
inline constexpr unsigned kSnapshotsToJudge = 8;
inline constexpr double kConfidenceToJudge = 0.9;

struct CheckResult {
  std::vector<const model::Suspect*> leaks;  // into the report
  std::vector<const model::Suspect*>
      not_judged;  // leaks by their verdict, on too little to fail for
  unsigned suppressed = 0;
};

CheckResult check(const model::Report& report);
CheckResult check(model::Report&&) = delete;  // the result points into it

// A few lines for stderr: each leak, what was not judged, and by what it was judged.
std::string to_text(const CheckResult& result);

}  // namespace seep::cli
