// A name for a stack that holds across processes: a hash of (build-id or path, offset) of all its
// frames. Equal keys mean the same code path in the same builds.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "analyzer/model/snapshot.h"

namespace seep::model {

// One key a node; keys[0] belongs to the root. 64-bit hashes: among a million stacks a collision
// has a probability of about 3e-8.
std::vector<std::uint64_t> stack_keys(const Stacks& stacks);

// One key a module: of its build-id, or of its path where it has none.
std::vector<std::uint64_t> module_keys(const Stacks& stacks);

// Pieces to make keys of. Not symmetric.
std::uint64_t combine_keys(std::uint64_t outer, std::uint64_t inner);
std::uint64_t key_of_text(std::string_view text);

}  // namespace seep::model
