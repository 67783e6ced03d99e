// Recordings on disk: which there are, how large, and whether their process still runs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "format/control_page.h"

namespace seep::client {

struct RecordingDirectory {
  std::string path;
  format::ControlPage page{};
};

struct DiskUse {
  std::uint64_t bytes = 0;  // disk space of its files
  // Newest of its files; the clock counts from the year 2174, so its zero is no early time.
  std::filesystem::file_time_type last_written = std::filesystem::file_time_type::min();
};

// Nothing when `path` is no recording: a directory with a valid control page in it. Symbolic links
// are not followed.
std::optional<RecordingDirectory> look_at_recording(const std::string& path);

// The recordings directly in `directory`, in no order.
std::vector<RecordingDirectory> list_recordings(const std::string& directory);

DiskUse disk_use(const RecordingDirectory& recording);

// Whether the index in `directory` has a line of this process which says that its recording never
// began. `run_id`: 16 hexadecimal digits.
bool index_says_never_recorded(const std::string& directory, const std::string& run_id, pid_t pid);

// Which processes were alive when it was made.
class RunningProcesses {
 public:
  RunningProcesses();

  // True while the process that writes the recording is alive, in whatever PID namespace that can
  // be seen, and when that cannot be known: from inside a container, of a process outside it.
  [[nodiscard]] bool include(const format::ControlPage& page) const;

 private:
  std::uint64_t own_pid_namespace_ = 0;
  std::set<std::pair<std::uint32_t, std::uint64_t>> processes_;  // innermost PID, start ticks
};

// Removes the files that seep writes into a recording, then the directory. False when something
// else is in it (which stays, and the directory with it) or a file could not be removed.
bool remove_recording(const RecordingDirectory& recording);

}  // namespace seep::client
