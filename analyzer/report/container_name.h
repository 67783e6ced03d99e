// What a block is for, where the standard library made it: "std::map node", "std::vector buffer".
#pragma once

#include <string>

#include "analyzer/model/report.h"

namespace seep::report {

// From the frames of the standard library at the inner end of a stack, without the allocator's;
// empty where they are none, or of nothing that is known. Knows libstdc++ and libc++.
std::string container_name(const model::ReportStack& stack);

}  // namespace seep::report
