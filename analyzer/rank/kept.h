// What an interpreter keeps to use it again, as scans have seen it: objects that the script has
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

enum class SeenBy { kScansWhileRunning, kAnyScan };

// By the last of these scans, but for as much as the script itself still held when another one
// looked. `together` is the history of the sites. A scan at exit also sees what the script has
// released as it ended: it was no less the script's until then.
KeptBlocks kept_of(const model::Recording& recording, std::span<const std::size_t> sites,
                   const model::SiteHistory& together, SeenBy seen_by);

// Whether so many blocks of these sites can have come into the interpreter's lists while the script
// ran. An object is taken from its list if there is one, so a line that makes new ones finds the
// list empty: all that it made before are held. Only what is made in a way that does not look into
// the list adds to it: some that the interpreter keeps few of, and tuples that are cut, of which
// the line has released what they were cut from.
bool may_fill_lists(const model::Recording& recording, std::span<const std::size_t> sites,
                    std::uint64_t kept_blocks);

// The history as if the blocks had never been made: the first ones, since a list that objects are
// taken from again fills before a program grows because of it.
model::SiteHistory without(model::SiteHistory site, const KeptBlocks& kept);

}  // namespace seep::rank
