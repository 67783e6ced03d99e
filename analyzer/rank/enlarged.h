// One block that became larger again and again, as that of a vector, of a hash table, of a PHP
// array or of a Python list does: told from what was ever allocated at its site, so that the steps
// between two snapshots count as well.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analyzer/model/snapshot.h"

namespace seep::rank {

struct Enlarged {
  std::uint64_t block_bytes = 0;  // of the block that is alive at the end
  unsigned doublings = 0;         // how often its size doubled in all, whatever each step's factor
  double factor = 0;              // the largest mean factor of the steps between two snapshots
  std::vector<std::size_t> seen;  // moments at which it was the only block alive
};

// Unset unless all births of `at`, of one site or of several, are those of one block that never
// became smaller, that doubled at least four times (design §6), became larger while it was watched,
// and is alive at the end. For sites recorded whole: not in sample mode, nothing inherited.
std::optional<Enlarged> measure_enlarged(const std::vector<model::Counters>& at);

// Whether `blocks`, one count for each moment in `seen`, were as many as the block had room for:
// bytes for each of them within one step of the block.
bool grew_in_step(const Enlarged& container, const std::vector<model::Counters>& at,
                  const std::vector<std::uint64_t>& blocks);

}  // namespace seep::rank
