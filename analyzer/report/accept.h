// What the user accepts: suspects that a suppression silences are marked, and stay in the report.
#pragma once

#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/report/baseline.h"
#include "analyzer/suppress/suppression.h"

namespace seep::report {

// Sets Suspect::suppressed_by where all paths of a suspect match, each by any suppression; of what
// is unreachable, where its own stack does, since what hangs on it has others. One that is built in
// for what is lost once takes Suspect::leak back too. Returns what each did, in order; a
// suppression of seep's own that did nothing is left out.
std::vector<model::SuppressionUse> accept(const std::vector<suppress::Suppression>& suppressions,
                                          std::vector<model::Suspect>& suspects);

// The same for leaks that the baseline has too: "baseline NAME".
void accept(const Baseline& baseline, std::vector<model::Suspect>& suspects);

// The suppression that holds for a stack, or null. `kinds`: suppress::kAllKinds if not known.
const suppress::Suppression* find_suppression(
    const std::vector<suppress::Suppression>& suppressions, const model::ReportStack& stack,
    unsigned kinds);

// What would silence the leaks of a report that nothing silences yet: lines of LeakSanitizer's
// form, each under a comment that names the leak.
std::string suppressions_for(const model::Report& report);

}  // namespace seep::report
