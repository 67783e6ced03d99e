// The verdict on one site: what its memory does over time, and the sentence that says why.
// docs/ranking.md explains the rules and what they were measured on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/confidence.h"

namespace seep::rank {

// Design §2.4 judges growth from eight snapshots on.
inline constexpr std::size_t kLeastSnapshots = 8;
// A shorter life is start-up and shutdown.
inline constexpr double kLeastSeconds = 1;
// Growth below this is not worth a row of its own, whatever its blocks.
inline constexpr double kLeastBytes = 128;
// Fewer independent arrivals than this do not tell an even rate from a falling one.
inline constexpr double kLeastEvents = 10;
// Samples that a verdict rests on at least. Laplace's rule of succession: 18 survivors and no death
// put the next survivor at 0.95 (Scalene, OSDI 2023, §3.4, reports from there on).
inline constexpr double kLeastSurvivors = 18;

// The moments of a recording that are judged: all from `first` on; `t` holds their times.
struct Timeline {
  std::span<const double> t;
  std::size_t first = 0;

  // Enough snapshots over enough time to tell growth from a start.
  [[nodiscard]] bool long_enough() const;
};

struct Verdict {
  model::Behaviour behaviour = model::Behaviour::kUnknown;
  std::string why;
  std::optional<Doubling> doubling;  // of a container that is growing
  bool has_growth = false;
  double growth_from_s = 0;  // where the window begins that was judged
  double growth_bytes_per_s = 0;
  model::Range growth_range;  // 95 %
  Bin bin = Bin::k_unknown;   // the kind of evidence, for its confidence
};

// Of a site alone.
Verdict judge(const model::SiteHistory& site, const Timeline& timeline);

// Of a site that would not grow without what an interpreter keeps of it to use it again: so many of
// the blocks that live. Such lists are bounded.
Verdict judge_kept(std::uint64_t kept_blocks, std::uint64_t live_blocks);

// The same where so many were found to be released only once the program had ended.
Verdict judge_released(std::uint64_t released_blocks, std::uint64_t live_blocks);

// Of a container that doubles, by the verdict on a site that fills it.
Verdict judge_by_elements(const Verdict& elements);

}  // namespace seep::rank
