// Pieces of text of a comparison that its printers share. What comes from other people's files is
// printable.
#pragma once

#include <cstddef>
#include <string>

#include "analyzer/compare/comparison.h"

namespace seep::compare {

// "server[4711] as seen by seep and Valgrind (vg.xml)".
std::string title_of(const Comparison& comparison);

// "Valgrind (vg.xml)".
std::string title_of(const Column& column);

// "1 leak; found by seep 1, Valgrind 0."
std::string summary_of(const Comparison& comparison);

// What stands in a column: "growing 512 KB in 4,000 blocks"; where it was missed, also why.
std::string said_of(const Leak& leak, std::size_t column, const Column& of);

}  // namespace seep::compare
