// What an interpreter keeps to use it again, as a scan has seen it: objects that the script has
// released. They live under the line that made them first, and are no growth of the script.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "analyzer/model/recording.h"

namespace seep::rank {

// Of some sites together.
struct KeptBlocks {
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
};

// By the last scan that has seen any.
KeptBlocks kept_of(const model::Recording& recording, std::span<const std::size_t> sites);

// The history as if the blocks had never been made: the first ones, since a list that objects are
// taken from again fills before a program grows because of it.
model::SiteHistory without(model::SiteHistory site, const KeptBlocks& kept);

}  // namespace seep::rank
