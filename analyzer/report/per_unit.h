// What the report says of growth per unit of work.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/rank.h"

namespace seep::report {

// The work that the snapshots count; null where fewer than two do. `unit` is its name; empty: the
// one that the program gave, else "unit". `counted_by` says who counted; empty: the program.
std::optional<model::Work> work_of(const std::vector<model::Recording>& recordings,
                                   const std::string& unit, const std::string& counted_by);

// Sets what `suspect` grows by per unit from its `members`, those that are a leak if it is one.
// Within a process sites add up; processes count with the work that each has done.
void set_growth_per_unit(model::Suspect& suspect, const std::vector<model::Recording>& recordings,
                         std::span<const rank::RankedSite> members, double warmup_s);

// Whether suspects are ranked by growth per unit: all leaks that grow know theirs.
bool ranks_per_unit(const std::vector<model::Suspect>& suspects);

}  // namespace seep::report
