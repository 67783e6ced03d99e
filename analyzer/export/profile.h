// The call stacks of recordings with what each holds, as plain data: what the formats of profilers
// are written from. Places and nodes are shared, so that a hundred thousand stacks fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::exporters {

// A module in the memory of a process.
struct Mapping {
  std::string path;
  std::string build_id;  // lower-case hex; empty when the file has none
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// What stands at one address of the code, or in one line of a script.
struct Place {
  model::ReportStack frames;  // innermost first, several where functions were inlined; never empty
  std::uint32_t mapping = 0;  // into Profile::mappings; 0: none
  std::uint64_t address = 0;  // in the process, of the call itself; 0 for a script's line
};

// nodes[0] is the root and no frame; parent < own index.
struct ProfileNode {
  std::uint32_t parent = 0;
  std::uint32_t place = 0;
};

struct Sample {
  std::uint32_t node = 0;
  std::uint32_t process = 0;  // into Profile::processes
  model::SiteKind kind = model::SiteKind::kHeap;
  model::Counters now;
  model::Counters before;  // zeros where nothing is compared
  std::size_t site = 0;    // into Recording::sites
};

struct ProfileProcess {
  std::string id;
  model::ProcessInfo info;
  double time_s = 0;   // of the snapshot, since the process began
  double since_s = 0;  // of the one that it is compared with; 0 where there is none
};

struct Profile {
  std::vector<ProfileProcess> processes;
  std::vector<Mapping> mappings;  // [0] is none
  std::vector<Place> places;      // [0] is none
  std::vector<ProfileNode> nodes;
  std::vector<Sample> samples;
};

// Which moments of a recording are exported, as indices.
struct Span {
  std::size_t at = 0;
  std::optional<std::size_t> since;  // compared with this earlier one
};

// Which sites become samples: those with any figure that is not 0 at the moments of the span, or at
// any moment of the recording.
enum class Keep { kOfSpan, kOfAnyMoment };

// Stacks begin at the code that called the allocator, as those of a report. `spans` is aligned with
// `recordings`.
Profile build_profile(const std::vector<model::Recording>& recordings,
                      const std::vector<Span>& spans, symbolize::Symbolizer& symbolizer,
                      Keep keep = Keep::kOfSpan);

// The moment of a snapshot by its number (3, as in snapshot-000003.seep) or else by the label of
// its mark: of several with one label the first, or the last.
std::optional<std::size_t> find_moment(const model::Recording& recording, const std::string& name,
                                       bool last);

}  // namespace seep::exporters
