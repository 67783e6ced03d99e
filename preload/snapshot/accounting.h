// Where the resident memory of this process is, from /proc. Context: IN-AGENT, walker.
#pragma once

#include <cstdint>

#include "format/snapshot_format.h"

namespace seep::snapshot {

// What is known beside /proc: as in AccountingRecord.
struct KnownLimits {
  std::uint64_t limit_bytes = 0;
  std::uint64_t script_limit_bytes = 0;
  std::uint64_t script_real_bytes = 0;
  std::uint64_t script_peak_bytes = 0;
  std::uint64_t script_used_bytes = 0;
};

// Fills what /proc/self/status and limits tell cheaply; `tracked_bytes` (heap and maps) and
// `mmap_bytes` come from the walk. What no live block explains of the anonymous memory is given as
// retained by the allocator: it holds free chunks, its own headers and rounding, and untracked
// anonymous maps.
format::AccountingRecord account(std::uint64_t tracked_bytes, std::uint64_t mmap_bytes,
                                 const KnownLimits& known);

// Of this process, now; 0 when /proc cannot be read. IN-HOOK as well.
std::uint64_t resident_set_bytes();

}  // namespace seep::snapshot
