// Parts of one object that different functions allocate: a session, and the buffers that the
// functions make which its constructor calls.
#pragma once

#include <cstddef>
#include <vector>

#include "analyzer/report/group.h"

namespace seep::report {

// Joins causes (groups of indices into `paths`, with their blame) where each call of one's blamed
// function makes a constant number of blocks of the other: all paths of the part pass through the
// same call of that function, and the births of both are in a constant, whole ratio. The function
// that is called is not blamed any more. Not done for the outermost function that may be to blame,
// main or that of a thread: all that leaks is called from there.
void join_parts(const Grouping& input, NodeNames& names, std::vector<Path>& paths,
                std::vector<std::vector<std::size_t>>& causes);

}  // namespace seep::report
