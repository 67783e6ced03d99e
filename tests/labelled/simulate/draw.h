// Random numbers and arrivals that the families are made of.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/labelled/simulate/families.h"

namespace seep::labelled {

inline double uniform(Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

inline double log_uniform(Random& random, double low, double high) {
  return std::exp(uniform(random, std::log(low), std::log(high)));
}

inline double exponential(Random& random, double mean) {
  return std::exponential_distribution<double>(1 / mean)(random);
}

inline bool chance(Random& random, double share) {
  return uniform(random, 0, 1) < share;
}

// A size that nearly all blocks of a site share.
inline std::uint64_t draw_size(Random& random) {
  return static_cast<std::uint64_t>(log_uniform(random, 16, 8192));
}

// Times of about `count` arrivals in [from, to): evenly with jitter, or at random (Poisson).
std::vector<double> arrivals(Random& random, double count, double from, double to);

// The same with a rate that follows `rate(t)`, at most 1 (thinning).
template <typename Rate>
std::vector<double> arrivals(Random& random, double count, double from, double to, Rate rate) {
  std::vector<double> kept = arrivals(random, count, from, to);
  std::erase_if(kept, [&](double t) { return uniform(random, 0, 1) >= rate(t); });
  return kept;
}

// A block of one size at each time, never freed.
std::vector<rank::Block> kept_blocks(const std::vector<double>& times, std::uint64_t bytes);

// The same; one that is born at `t` lives as long as `life(t)` says.
template <typename Life>
std::vector<rank::Block> living_blocks_at(const std::vector<double>& times, std::uint64_t bytes,
                                          Life life) {
  std::vector<rank::Block> blocks = kept_blocks(times, bytes);
  for (rank::Block& block : blocks) {
    block.died_s = block.born_s + life(block.born_s);
  }
  return blocks;
}

template <typename Life>
std::vector<rank::Block> living_blocks(const std::vector<double>& times, std::uint64_t bytes,
                                       Life life) {
  return living_blocks_at(times, bytes, [&](double) { return life(); });
}

inline void append(std::vector<rank::Block>& to, const std::vector<rank::Block>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// One block that is replaced by one `factor` as large whenever `count(t)` elements of `element`
// bytes do not fit any more; `count` does not fall.
template <typename Count>
std::vector<rank::Block> container(double factor, double element, Count count) {
  constexpr int kSteps = 4000;
  std::vector<rank::Block> blocks;
  double capacity = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double t = static_cast<double>(i) / kSteps;
    if (count(t) <= capacity) {
      continue;
    }
    while (count(t) > capacity) {
      capacity = std::max(1.0, std::ceil(capacity * factor));
    }
    if (!blocks.empty()) {
      blocks.back().died_s = t;
    }
    blocks.push_back({t, rank::kForever, static_cast<std::uint64_t>(element * capacity)});
  }
  return blocks;
}

}  // namespace seep::labelled
