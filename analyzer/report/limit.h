// How long it takes at this rate until a limit is reached.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"

namespace seep::report {

// The limit that is reached first: `given` bytes of RSS where that is set, else those that the
// processes recorded. The limits of a cgroup and a given one hold for all processes that were alive
// at the end together; those of setrlimit(2) for each. null where there is none.
//
// `grows`: false where the growth is none to speak of; seconds and units are null then, as they are
// where the interval of the growth reaches down to 0.
std::optional<model::Limit> nearest_limit(const std::vector<model::Recording>& recordings,
                                          std::optional<std::uint64_t> given, double warmup_s,
                                          bool grows, const std::optional<model::Work>& work);

}  // namespace seep::report
