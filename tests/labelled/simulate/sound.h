// The families that do not leak, and those that nothing tells from a leak while they are watched.
#pragma once

#include <span>

#include "tests/labelled/simulate/families.h"

namespace seep::labelled {

std::span<const Family> sound_families();

}  // namespace seep::labelled
