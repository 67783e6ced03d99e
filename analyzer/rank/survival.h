// Do the blocks of a site live on, or do they die later? Read from the ages of the blocks that are
// alive at the end and from the number alive at an earlier moment.
//
//        from                 end-horizon        end-churn   end
//         |  gained_before ...     |                  |       |
//   alive then, older than the horizon now: survivors; the others have died since
#pragma once

#include "analyzer/model/recording.h"
#include "analyzer/rank/curve.h"

namespace seep::rank {

// Blocks born in one stretch of time.
struct Cohort {
  double born = 0;
  double alive = 0;  // at the end; at most as many as were born

  [[nodiscard]] double died() const { return born - alive; }
  [[nodiscard]] double share() const { return born > 0 ? alive / born : 1; }
};

struct Survival {
  bool known = false;         // false: the window is too short for the age classes, or no ages
  double from_s = 0;          // of the window
  double horizon_s = 0;       // a boundary of the age classes, a quarter to half of the window
  double gained_before = 0;   // blocks gained from the start of the window to end - horizon
  double survivors = 0;       // blocks older than the horizon
  double died = 0;            // alive at end - horizon, dead at the end
  double died_young = 0;      // the same for a horizon eight times shorter: ordinary turnover
  double gained_between = 0;  // blocks gained between those two horizons
  Cohort old;                 // born in the window, before the horizon
  Cohort young;               // born between the two horizons
};

Survival measure_survival(const model::SiteHistory& site, const Curve& curve, double from);

}  // namespace seep::rank
