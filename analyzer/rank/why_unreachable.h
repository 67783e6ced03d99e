// The sentence that goes with unreachable memory.
#pragma once

#include <string>

#include "analyzer/rank/unreachable.h"

namespace seep::rank {

// "1,200 blocks that nothing points to, 40 bytes each, one each 2 ms". `one_size`: all blocks that
// were ever made there have the same. Only for lost.blocks > 0.
std::string why_unreachable(const Lost& lost, bool one_size);

}  // namespace seep::rank
