// Writes one complete snapshot: everything that is known at this moment, in one file.
// Context: IN-AGENT, and the walker: raw system calls only, no thread-local storage, about 2 KB of
// stack. Two snapshots of one process are never written at once.
#pragma once

#include <cstdint>
#include <string_view>

#include "format/snapshot_format.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/thread_cache.h"
#include "preload/scan/scan.h"
#include "preload/snapshot/accounting.h"

namespace seep::snapshot {

// What the agent knows and the tables do not. Views must stay valid until write() returns.
struct Description {
  format::ProcessRecord process{};  // string references are filled by write()
  std::string_view exe;
  std::string_view command;
  std::string_view host;
  std::string_view mark;
  std::string_view unit;
  std::string_view end_function;
  std::uint32_t now_tick = 0;
  std::uint32_t fork_tick = 0;  // blocks born earlier are inherited
  KnownLimits limits;
  // Births that belong to the parent of a fork, by site; null when there are none.
  const recorder::Births* births_at_fork = nullptr;
  std::uint32_t births_at_fork_count = 0;
};

struct Outcome {
  int error = 0;  // -errno, or 0
  std::uint64_t live_blocks = 0;
  std::uint64_t live_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t tracker_bytes = 0;  // as in its accounting
};

// Writes to a temporary name in `directory` and renames it to `name` when it is whole. `scan`: what
// a scan for unreachable memory found at this moment, or null.
Outcome write(int directory, const char* name, const Description& description,
              recorder::Tables& tables, const scan::Answer* scan = nullptr);

}  // namespace seep::snapshot
