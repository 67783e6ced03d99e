// A comparison as text, as HTML or as JSON (seep.compare/1). Each returns the whole text.
#pragma once

#include <string>

#include "analyzer/compare/comparison.h"

namespace seep::compare {

// `all`: also what no tool calls a leak that looks at more than what is alive at the end.
std::string to_text(const Comparison& comparison, bool all);
std::string to_html(const Comparison& comparison, bool all);
std::string to_json(const Comparison& comparison);

}  // namespace seep::compare
