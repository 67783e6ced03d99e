// Recordings on disk: which there are, how large, and whether their process still runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "format/control_page.h"

namespace seep::client {

struct RecordingDirectory {
  std::string path;
  format::ControlPage page{};
  std::uint64_t bytes = 0;                         // disk space of its files
  std::filesystem::file_time_type last_written{};  // newest of its files
};

// Nothing when `path` is no recording: a directory with a valid control page in it. Symbolic links
// are not followed.
std::optional<RecordingDirectory> look_at_recording(const std::string& path);

// The recordings directly in `directory`, oldest first.
std::vector<RecordingDirectory> list_recordings(const std::string& directory);

// True while the process that writes it is alive, in whatever PID namespace that can be seen, and
// when that cannot be known: from inside a container, of a process outside it.
bool is_running(const format::ControlPage& page);

// Removes the files that seep writes into a recording, then the directory. False when something
// else is in it (which stays, and the directory with it) or a file could not be removed.
bool remove_recording(const RecordingDirectory& recording);

}  // namespace seep::client
