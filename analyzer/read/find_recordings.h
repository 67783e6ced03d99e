// From the paths that a user gives to the snapshot files of each recording.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/result.h"
#include "analyzer/read/read_recording.h"

namespace seep::read {

// The files of one recording: the snapshots in the order of their sequence numbers, then the scans
// in that of theirs.
struct Source {
  std::string id;
  std::string path;       // as Recording::path
  std::string directory;  // where the file `ended` may be
  std::vector<std::string> files;
  bool named = false;  // the files were given by name: a damaged one is an error
};

struct Sources {
  std::vector<Source> sources;
  std::vector<std::string> skipped;  // messages of recordings without one readable snapshot
};

// See read_recordings.
Result<Sources> find_sources(const std::vector<std::string>& paths, const Selection& selection);

// Which file of a recording a name stands for: "snapshot-000012.seep", "scan-000003.seep".
struct FileName {
  bool is_scan = false;
  std::uint64_t sequence = 0;

  // Snapshots first.
  auto operator<=>(const FileName&) const =
      default;  // NOLINT(modernize-use-nullptr): clang-tidy 14
};

// Unset for other names.
std::optional<FileName> parse_file_name(const std::string& name);

}  // namespace seep::read
