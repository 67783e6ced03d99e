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

// The memory limit of this process's cgroup (v2 or v1); 0 for none.
std::uint64_t cgroup_limit();

// What its processes may use more, now: up to that limit, with what the kernel can give back of
// files. UINT64_MAX without a limit.
std::uint64_t cgroup_headroom();

}  // namespace seep::snapshot
