// Who holds the blocks of a suspect: the chains that scans followed, put into words.
#pragma once

#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/rank.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

// The ranked sites that are one suspect.
using Members = std::vector<const rank::RankedSite*>;

// The commonest chain over all members, outermost first. Unset where no scan followed any. Chains
// of lost blocks, which begin with a block, do not count.
std::optional<std::vector<model::Holder>> held_by(const Members& members,
                                                  const std::vector<model::Recording>& recordings,
                                                  symbolize::Symbolizer& symbolizer);

}  // namespace seep::report
