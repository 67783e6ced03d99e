// What scans for unreachable memory add to a report: lost trees folded into one suspect, figures
// and verdicts of what is unreachable, and who holds the rest.
#pragma once

#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/report/held_by.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

// `members[i]`: the ranked sites of suspects[i], at least one. Suspects whose blocks are all lost
// with those of another one become part of it, unless `fold` is false; their order is kept.
void add_scans(std::vector<model::Suspect>& suspects, std::vector<Members> members, bool fold,
               const std::vector<model::Recording>& recordings, symbolize::Symbolizer& symbolizer);

// Sets Report::scan and Totals::unreachable_bytes.
void add_scan_totals(model::Report& report, const std::vector<model::Recording>& recordings);

}  // namespace seep::report
