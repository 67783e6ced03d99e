// The map of code that a compiler made while the program ran (/tmp/perf-PID.map), kept with the
// recording: the process's number may be another's tomorrow, and its /tmp be gone with a container.
// Context: IN-AGENT. The folder is everybody's: whatever stands there is looked at before it is
// read, and reading it neither blocks nor leads elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/runtime/text.h"

namespace seep::agent {

enum class JitMapCopy : std::uint8_t {
  kNone,      // there is no such file
  kDone,      // it stands in the recording
  kCut,       // its beginning does
  kNotAFile,  // a link, a FIFO, a folder
  kNotOurs,   // of another user, or with a second name that may be
  kStale,     // of a process that had the number before
  kFailed,    // it could not be read or written
};

struct JitMapOrder {
  const char* source = nullptr;     // path of the map
  int directory = -1;               // of the recording
  std::uint32_t user = 0;           // whose it may be, beside root's
  std::uint64_t since_unix_ns = 0;  // what was last written before is stale
  std::size_t most_bytes = 0;
};

// Writes it to a temporary name and renames it to format::kJitMapFileName.
JitMapCopy copy_jit_map(const JitMapOrder& order);

// "/tmp/perf-4711.map"
runtime::Text<64> jit_map_path(std::uint32_t pid);

// One line for the log; empty where there is nothing to say.
std::string_view meaning_of(JitMapCopy copy);

}  // namespace seep::agent
