#include "analyzer/rank/why_unreachable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzer/model/figures.h"

namespace seep::rank {
namespace {

using model::format_bytes;
using model::format_count;

std::string blocks_of(std::uint64_t blocks) {
  return fmt::format("{} block{}", format_count(blocks), blocks == 1 ? "" : "s");
}

// "1,200 blocks that nothing points to", "1 block that nothing points to and 999 behind it".
std::string who_points(const Lost& lost) {
  if (lost.direct_blocks == 0) {
    return fmt::format("{} that only other lost blocks point to", blocks_of(lost.blocks));
  }
  const std::uint64_t indirect = lost.blocks - std::min(lost.blocks, lost.direct_blocks);
  const std::string direct =
      fmt::format("{} that nothing points to", blocks_of(lost.direct_blocks));
  return indirect == 0 ? direct
                       : fmt::format("{} and {} behind {}", direct, format_count(indirect),
                                     lost.direct_blocks == 1 ? "it" : "them");
}

std::string size_of(const Lost& lost, bool one_size) {
  const std::uint64_t each = lost.bytes / lost.blocks;
  const std::string size = each < 1000 ? fmt::format("{} byte{}", each, each == 1 ? "" : "s")
                                       : format_bytes(static_cast<double>(each));
  const bool is_even = one_size && each * lost.blocks == lost.bytes;
  return lost.blocks == 1 ? size : size + (is_even ? " each" : " on average");
}

// What recurs was made over the life of its oldest block.
std::string pace_of(const Lost& lost) {
  if (!lost.recurs || lost.oldest_ms == 0) {
    return {};
  }
  const double interval_s =
      static_cast<double>(lost.oldest_ms) / 1000 / static_cast<double>(lost.blocks);
  return interval_s >= 0.001
             ? fmt::format(", one each {}", model::format_duration(interval_s))
             : fmt::format(", {} a second",
                           format_count(static_cast<std::uint64_t>(std::llround(1 / interval_s))));
}

}  // namespace

std::string why_unreachable(const Lost& lost, bool one_size) {
  return fmt::format("{}, {}{}", who_points(lost), size_of(lost, one_size), pace_of(lost));
}

}  // namespace seep::rank
