// Growth per unit of work: what each request, message or row adds to a site, whatever the load was.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"

namespace seep::rank {

// The moments of a recording that say how much work was done until then.
struct WorkDone {
  std::vector<std::size_t> moments;  // into Recording::moments, ascending
  std::vector<double> units;         // at them, ascending

  // Enough to speak of growth per unit: two different counts.
  [[nodiscard]] bool is_known() const { return units.size() > 1 && units.back() > units.front(); }
  [[nodiscard]] double done() const { return units.empty() ? 0 : units.back() - units.front(); }
};

// The moments from `from_s` on; all of them where those are too few: work is often marked by hand,
// three times in a run. A count below an earlier one is left out.
WorkDone work_done(const model::Recording& recording, double from_s);

// Units a second, Theil–Sen. Needs work.is_known().
double units_per_s(const model::Recording& recording, const WorkDone& work);

struct PerUnit {
  double bytes = 0;
  double blocks = 0;
  std::optional<model::Range> bytes_range;  // 95 %; null for two moments
};

// The slope of what is alive at a site over the work done, Theil–Sen: with eight moments or more at
// points that are evenly spaced in units, with the interval of slope_interval(); with fewer at the
// moments themselves, and the interval is the span of the slopes between neighbours.
// Needs work.is_known().
PerUnit growth_per_unit(const model::SiteHistory& site, const WorkDone& work);

}  // namespace seep::rank
