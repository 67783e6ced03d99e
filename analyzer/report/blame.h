// From a named stack to the frame to read and the id of the suspect.
#pragma once

#include <string>
#include <string_view>

#include "analyzer/model/report.h"
#include "analyzer/report/frame_kind.h"

namespace seep::report {

// Without frames of libseep, which also stand around main, and without the allocator's at its
// inner end. A stack that consists of nothing else keeps its outermost frame.
model::ReportStack without_allocator(model::ReportStack stack);

// Index of the innermost frame that is no library's and no allocator wrapper's; 0 if there is none.
unsigned blamed_frame(const model::ReportStack& stack);

// 16 hex digits from the kind and the blamed frame's function and file (base name): no addresses,
// no lines and no callers, so that it holds across runs and builds and however many paths lead
// there. A frame without a name counts by module and offset.
std::string suspect_id(model::SiteKind kind, const model::ReportStack& stack, unsigned blame);

// The same of one call stack: of all functions from the blamed one outward.
std::string site_id(model::SiteKind kind, const model::ReportStack& stack, unsigned blame,
                    BareNames& names);

// For a second suspect with the id of another: from its verdict and how many there were before.
std::string derived_id(std::string_view id, std::string_view verdict, unsigned copy);

}  // namespace seep::report
