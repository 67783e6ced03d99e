// From a named stack to the frame to read and the id of the suspect.
#pragma once

#include <string>

#include "analyzer/model/report.h"

namespace seep::report {

// Without frames of libseep, which also stand around main, and without the allocator's at its
// inner end. A stack that consists of nothing else keeps its outermost frame.
model::ReportStack without_allocator(model::ReportStack stack);

// Index of the innermost frame that is no library's and no allocator wrapper's; 0 if there is none.
unsigned blamed_frame(const model::ReportStack& stack);

// 16 hex digits from kind, functions and file base names outward from the blamed frame: no
// addresses and no lines, so that it holds across builds. Frames without a name count by module
// and offset. Different lines of one function share an id.
std::string suspect_id(model::SiteKind kind, const model::ReportStack& stack, unsigned blame);

}  // namespace seep::report
