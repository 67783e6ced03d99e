// The file of a scan, as tests read it: by the records of the format, past the analyzer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "format/snapshot_format.h"

namespace seep::scenarios {

struct Chain {
  std::uint32_t site = 0;
  std::uint64_t blocks = 0;
  std::uint64_t sampled = 0;
  std::vector<format::LinkRecord> links;
};

struct ScanFile {
  format::ScanRecord scan{};
  std::vector<format::UnreachableRecord> unreachable;
  std::vector<Chain> chains;
  std::vector<format::SiteRecord> sites;
  std::vector<std::string> modules;
  std::uint64_t failed_scans = 0;  // the loss

  std::uint64_t direct_bytes() const;
  std::uint64_t indirect_bytes() const;
  std::uint64_t direct_blocks() const;
  std::uint64_t indirect_blocks() const;
  // Of the site whose live blocks have `bytes` each; fails the test when there is none.
  std::vector<Chain> chains_of_size(std::uint64_t bytes) const;
};

// The scans of a recording, oldest first.
std::vector<ScanFile> scans_of(const std::filesystem::path& recording);

}  // namespace seep::scenarios
