// Which paths leak for one reason: the frame where their growth gathers.
//
// Of a path that leaks, the innermost frame that is no library's is suspected first. Where other
// callers of that frame release what it makes, it only passes on what it allocates, and the frame
// outward is suspected, until most of what is made below a frame, and not kept, is the leak's
// (Eclipse MAT's accumulation point, from the inside out). Paths with the same function there are
// one cause, if they grew together: a node and the string in it, a table and its entries.
#pragma once

#include <cstddef>
#include <vector>

#include "analyzer/report/group.h"

namespace seep::report {

// Marks paths as leaks that are too slow to be judged alone, but grow together. `alike`: groups of
// indices into `paths` with one function and one behaviour.
void find_leaks_of_many_paths(const Grouping& input,
                              const std::vector<std::vector<std::size_t>>& alike,
                              std::vector<Path>& paths);

// Groups of indices of all paths that leak; their `blame` is set. Paths without a verdict join the
// leak whose innermost frames they share, and are marked as leaks.
std::vector<std::vector<std::size_t>> group_leaks(const Grouping& input, std::vector<Path>& paths,
                                                  NodeNames& names);

}  // namespace seep::report
