// A name for a stack that holds across processes: a hash of the places of all its frames. Equal
// keys mean the same code path in the same builds.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "analyzer/model/snapshot.h"

namespace seep::model {

// One key a node; keys[0] belongs to the root. 64-bit hashes: among a million stacks a collision
// has a probability of about 3e-8.
std::vector<std::uint64_t> stack_keys(const Stacks& stacks);

// One key for the place of each frame, the same in every process: of its module's build-id (or
// path, where it has none) and its offset; of its function, file and line where it is a script's.
class PlaceKeys {
 public:
  explicit PlaceKeys(const Stacks& stacks);
  [[nodiscard]] std::uint64_t of(const Node& node) const { return below(0, node); }
  // The same combined with the key of the callers.
  [[nodiscard]] std::uint64_t below(std::uint64_t callers, const Node& node) const;

 private:
  std::vector<std::uint64_t> modules_;
  std::vector<std::uint64_t> script_frames_;
};

// Pieces to make keys of. Not symmetric.
std::uint64_t combine_keys(std::uint64_t outer, std::uint64_t inner);
std::uint64_t key_of_text(std::string_view text);

}  // namespace seep::model
