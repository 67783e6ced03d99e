// One process image over time: the stacks of its last snapshot and the figures of every one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/model/snapshot.h"

namespace seep::model {

// A site over all moments of a recording. `at` has one entry a moment; a site that did not exist
// yet has zeros there.
struct SiteHistory {
  std::uint32_t node = 0;  // into Recording::stacks
  SiteKind kind = SiteKind::kHeap;
  std::uint64_t oldest_ms = 0;         // at the last moment
  std::uint64_t inherited_blocks = 0;  // of the live ones, at the last moment
  std::uint64_t inherited_bytes = 0;
  std::vector<AgeCount> ages;  // at the last moment
  std::vector<Counters> at;
  std::vector<Estimate> estimates;  // aligned with `at` in sample mode, else empty
};

struct Recording {
  std::string id;    // directory name, e.g. "server.4711"
  std::string path;  // directory, or the snapshot file when it was given alone
  ProcessInfo process;
  EndInfo end;
  std::vector<Moment> moments;  // ascending in time; never empty
  Stacks stacks;
  std::vector<SiteHistory> sites;    // those that only a scan knows have zeros at all moments
  std::vector<Scan> scans;           // ascending in time; their sites and modules are these
  Losses losses{};                   // of the last moment
  std::vector<std::string> skipped;  // messages of damaged snapshots that were left out
};

}  // namespace seep::model
