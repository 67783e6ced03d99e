// What the report says as a whole: totals, the cause of growth, and what must be said first.
#pragma once

#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/rank.h"

namespace seep::report {

// The recording that stands for the run where one must: the process that was started directly,
// else the one watched longest. `recordings` is not empty.
const model::Recording& main_recording(const std::vector<model::Recording>& recordings);

// What the leaks are of the growth of RSS; of the growth of live memory where RSS does not show it,
// since memory that is never touched is not resident.
struct Explained {
  bool leaks_grow = false;  // else they are lost memory only, and explain no growth
  bool is_rss = false;
  double growth_bytes_per_s = 0;
  std::string text;  // "95 % explained by 1 leak"
};
Explained explained_by_leaks(const model::Report& report);

// Live sums and growth over all processes.
model::Totals total_of(const std::vector<model::Recording>& recordings);

// Cause, sentence and action. Needs totals, and suspects in order.
model::Conclusion conclude(const model::Report& report,
                           const std::vector<model::Recording>& recordings,
                           const rank::Options& options);

// Damaged snapshots left out, nothing seen, little of the memory tracked.
std::vector<std::string> notes_on(const std::vector<model::Recording>& recordings);

}  // namespace seep::report
