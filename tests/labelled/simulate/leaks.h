// The families that leak.
#pragma once

#include <span>

#include "tests/labelled/simulate/families.h"

namespace seep::labelled {

std::span<const Family> leak_families();

}  // namespace seep::labelled
