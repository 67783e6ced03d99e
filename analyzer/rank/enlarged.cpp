#include "analyzer/rank/enlarged.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace seep::rank {
namespace {

using model::Counters;

constexpr std::uint64_t kLeastBytes = 1024;
constexpr double kLeastDoublings = 4;
constexpr std::uint64_t kMostBlocks = 2;  // while it moves there are two
// For elements to match: how far their number must have risen, and by how much room for each may
// differ beyond a step.
constexpr double kLeastRise = 4;
constexpr std::uint64_t kLeastElements = 8;
constexpr double kTolerance = 1.1;

// What was allocated between two looks at it: `births` blocks of `bytes`, the last of `size`.
struct Interval {
  double births = 0;
  double bytes = 0;
  double size_before = 0;
  double size = 0;

  // Each block at least as large as the one before, and none larger than the last.
  [[nodiscard]] bool is_of_one_block() const {
    if (births == 0) {
      return bytes == 0 && size == size_before;
    }
    return size >= size_before && bytes >= size + (births - 1) * size_before &&
           bytes <= births * size;
  }
};

// The size of the first of `births` blocks that sum up to `bytes` and end at `size`, each larger
// than the one before by the same factor: bytes / size = 1 + g + g² + … with g = 1 / factor.
double first_size(const Interval& head) {
  double low = 0;
  double high = 1;
  for (int i = 0; i < 60; ++i) {
    const double g = (low + high) / 2;
    const double sum = g > 1 - 1e-9 ? head.births : (1 - std::pow(g, head.births)) / (1 - g);
    (sum * head.size < head.bytes ? low : high) = g;
  }
  return head.size * std::pow(high, head.births - 1);
}

double difference(std::uint64_t later, std::uint64_t earlier) {
  return static_cast<double>(later) - static_cast<double>(earlier);
}

Interval interval(const Counters& from, const Counters& to) {
  return {difference(to.allocated_blocks, from.allocated_blocks),
          difference(to.allocated_bytes, from.allocated_bytes),
          static_cast<double>(from.live_bytes), static_cast<double>(to.live_bytes)};
}

std::vector<std::size_t> moments_of_one_block(const std::vector<Counters>& at) {
  std::vector<std::size_t> seen;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (at[i].live_blocks == 1) {
      seen.push_back(i);
    }
  }
  return seen;
}

bool is_candidate(const std::vector<Counters>& at) {
  return !at.empty() && at.back().live_blocks == 1 && at.back().live_bytes >= kLeastBytes &&
         std::all_of(at.begin(), at.end(),
                     [](const Counters& c) { return c.live_blocks <= kMostBlocks; });
}

}  // namespace

std::optional<Enlarged> measure_enlarged(const std::vector<Counters>& at) {
  if (!is_candidate(at)) {
    return std::nullopt;
  }
  Enlarged result;
  result.seen = moments_of_one_block(at);
  const Interval head = interval({}, at[result.seen.front()]);
  if (head.births == 0 || !head.is_of_one_block()) {
    return std::nullopt;
  }
  for (std::size_t i = 1; i < result.seen.size(); ++i) {
    const Interval between = interval(at[result.seen[i - 1]], at[result.seen[i]]);
    if (!between.is_of_one_block()) {
      return std::nullopt;
    }
    if (between.births > 0) {
      result.factor =
          std::max(result.factor, std::pow(between.size / between.size_before, 1 / between.births));
    }
  }
  result.block_bytes = at.back().live_bytes;
  const double doublings =
      std::log2(static_cast<double>(result.block_bytes) / std::max(first_size(head), 1.0));
  result.doublings = static_cast<unsigned>(std::lround(std::max(doublings, 0.0)));
  if (doublings < kLeastDoublings || result.factor <= 1) {
    return std::nullopt;
  }
  return result;
}

bool grew_in_step(const Enlarged& container, const std::vector<Counters>& at,
                  const std::vector<std::uint64_t>& blocks) {
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < container.seen.size(); ++i) {
    if (blocks[i] < kLeastElements) {
      continue;
    }
    fewest = std::min(fewest, blocks[i]);
    const double room =
        static_cast<double>(at[container.seen[i]].live_bytes) / static_cast<double>(blocks[i]);
    least = std::min(least, room);
    most = std::max(most, room);
  }
  return !blocks.empty() && blocks.back() >= kLeastElements && least >= 1 &&
         static_cast<double>(blocks.back()) >= kLeastRise * static_cast<double>(fewest) &&
         most <= kTolerance * std::max(container.factor, kTolerance) * least;
}

}  // namespace seep::rank
