// Why a tool missed what others found. Pure, thread safe.
#pragma once

#include <cstddef>

#include "analyzer/compare/comparison.h"

namespace seep::compare {

// Sets `missed` and `why` of all findings of the leak, whose amounts are set.
void explain(Leak& leak, const std::vector<Column>& columns, const model::Report& report);

}  // namespace seep::compare
