// Growth over repetitions of a short program, each doing more work than the one before: what it
// holds at its end must fade, or stand twice (psleak's rule, docs/ci.md). Pure functions, thread
// safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace seep::rank {

// Growth of fewer bytes for each unit of work is noise, and so is a gain of fewer in all.
inline constexpr double kLeastBytesPerWork = 8;
inline constexpr double kLeastGain = 64;
// Two intervals between repetitions: growth must stand in both.
inline constexpr std::size_t kLeastRepetitions = 3;

struct RepetitionVerdict {
  bool grows = false;
  double bytes_per_work = 0;  // over the last interval
  std::string why;
};

// `bytes`: what a site held at the end of each repetition; `work`: how much each did, ascending;
// both of the same size. With fewer than kLeastRepetitions nothing grows. From four on, the first
// interval is a warm-up. In all others the site must gain, and in the last one at least 0.7 times
// as much for each unit of work as in the first of them: a cache that fills falls below.
RepetitionVerdict judge_repetitions(std::span<const double> work,
                                    std::span<const std::uint64_t> bytes);

// Whether what the repetitions allocated shows that they did more and more work: from four of them
// on without the first step, each step adds at least kLeastBytesPerWork for each unit of work, and
// no less than the step before, which asked for half as much.
bool does_more_work(std::span<const double> work, std::span<const std::uint64_t> allocated);

}  // namespace seep::rank
