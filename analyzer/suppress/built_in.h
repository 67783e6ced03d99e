// Suppressions that come with seep: what libc, the loader and interpreters lose once at start-up.
#pragma once

#include <vector>

#include "analyzer/suppress/suppression.h"

namespace seep::suppress {

// Each holds only for memory that was lost and does not grow (Suppression::once_only).
const std::vector<Suppression>& built_in();

}  // namespace seep::suppress
