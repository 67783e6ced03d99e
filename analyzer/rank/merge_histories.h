// Several sites of one recording taken as one.
#pragma once

#include <cstddef>
#include <span>

#include "analyzer/model/recording.h"

namespace seep::rank {

// The sum of `sites` (indices into Recording::sites; at least one): figures and ages are added,
// standard errors as variances, `oldest_ms` is the largest. Node and kind are the first one's.
model::SiteHistory merge_histories(const model::Recording& recording,
                                   std::span<const std::size_t> sites);

}  // namespace seep::rank
