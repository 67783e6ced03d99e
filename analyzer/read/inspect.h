// What a snapshot file consists of, as far as it can still be told: for `seep info` and
// `seep verify`. Plain data; goes on after damage, where read_snapshot stops.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/model/result.h"

namespace seep::read {

struct SectionInfo {
  std::uint32_t id = 0;
  std::string name;  // "sites"; "unknown" for an id of a later minor version
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint32_t entry_bytes = 0;
  std::uint64_t entries = 0;
  bool crc_ok = false;  // false too when it reaches beyond the end of the file
};

struct FileInfo {
  std::string file;
  std::uint16_t version_major = 0;
  std::uint16_t version_minor = 0;
  std::uint64_t file_bytes = 0;      // of the file
  std::uint64_t expected_bytes = 0;  // by its header
  std::vector<SectionInfo> sections;
  std::vector<Error> problems;  // empty: the file is intact

  [[nodiscard]] bool intact() const { return problems.empty(); }
};

// An error only when the file cannot be opened, is empty, is no snapshot, or is too short to have
// a header. All else, what read_snapshot would refuse included, is among the problems.
Result<FileInfo> inspect(const std::string& path);

}  // namespace seep::read
