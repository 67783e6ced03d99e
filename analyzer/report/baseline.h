// What was there before: leaks that an accepted run had too, as long as they did not get worse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/model/result.h"

namespace seep::report {

// Growth counts as clearly larger when its whole interval lies above this times the interval of the
// baseline: two runs of one build differ in load, and intervals do not cover that.
inline constexpr double kClearlyMore = 1.25;

struct Baseline {
  std::string name;  // as the user gave it
  std::vector<model::Suspect> suspects;
};

// Whether the baseline has a suspect with this id, or else one blamed at the same function of the
// same file, that lost clearly as much: by growth per unit of work where both have it, else per
// second; where the suspect does not grow, or one of them was too short to tell, by blocks that
// nothing refers to. What shrank or stood still in the baseline accepts no growth.
bool is_known(const model::Suspect& suspect, const Baseline& baseline);

// The suspects of a "seep.report/1", as far as is_known() looks at them. `file` is named in errors.
// The text may hold anything.
Result<std::vector<model::Suspect>> suspects_of_json(std::string_view text,
                                                     const std::string& file);

}  // namespace seep::report
