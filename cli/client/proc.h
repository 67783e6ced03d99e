// What /proc says about a process: whether it is there, who it is, and what it maps. Thread safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace seep::client {

// Field 22 of /proc/PID/stat: with the PID it tells a process from a later one of the same number.
// Nothing when there is no such process.
std::optional<std::uint64_t> start_ticks(pid_t pid);

// The PID that the process sees itself: the innermost of its PID namespaces. `pid` when the kernel
// does not tell.
pid_t innermost_pid(pid_t pid);

// The name of its program as ps(1) shows it; empty when it is gone.
std::string name_of(pid_t pid);

// All PIDs that can be seen, ascending.
std::vector<pid_t> all_pids();

// A file that a process maps.
struct MappedFile {
  std::string range;  // "7f0000000000-7f0000001000", its name in /proc/PID/map_files
  std::string path;
};

enum class MapsOutcome { kRead, kGone, kNotPermitted };

struct MappedFiles {
  MapsOutcome outcome = MapsOutcome::kRead;
  std::vector<MappedFile> files;
};

// The mapped files whose path holds `part`; each mapping is an entry.
MappedFiles mapped_files(pid_t pid, const std::string& part);

}  // namespace seep::client
