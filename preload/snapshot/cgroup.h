// What the control groups of this process allow it: a group has what its own limit and those of all
// groups above it leave. Versions 1 and 2, also both at once. Context: IN-AGENT, walker.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/runtime/text.h"

namespace seep::snapshot {

// Where the groups have their files, and /proc/self/cgroup as read: which of them a process is in.
struct ControlGroups {
  std::string_view root = "/sys/fs/cgroup";
  std::string_view memberships;
};

// The tightest memory limit; 0 for none.
std::uint64_t memory_limit(const ControlGroups& groups);

// What may be used more, now: the least that a limit leaves, with what the kernel can give back of
// files. UINT64_MAX without a limit.
std::uint64_t memory_headroom(const ControlGroups& groups);

// The same two of this process.
std::uint64_t cgroup_limit();
std::uint64_t cgroup_headroom();

}  // namespace seep::snapshot
