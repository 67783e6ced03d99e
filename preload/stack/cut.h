// Where a stack with too many frames is cut. Context: IN-HOOK. Pure.
#pragma once

#include <cstdint>

namespace seep::stack {

// How many of `frames` frames are kept, innermost first; `frame_at(i)` is Frame::frame of the i-th.
// Of a deep stack the cut lies in the outer half, behind the frame whose address hashes lowest: so
// stacks that differ in the turns of a recursion are cut at the same call, share what is kept, and
// come to the same site. (The choice is that of winnowing, Schleimer, Wilkerson and Aiken 2003.)
// Where few frames were asked for, all of them are kept.
template <typename FrameAt>
unsigned frames_kept_of_cut(unsigned frames, FrameAt&& frame_at) {
  constexpr unsigned kDeep = 32;
  constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << 48) - 1;  // module ids differ by run
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15ULL;
  if (frames < kDeep) {
    return frames;
  }
  unsigned kept = frames;
  std::uint64_t lowest = UINT64_MAX;
  for (unsigned i = frames / 2; i < frames; ++i) {
    const std::uint64_t hash = (frame_at(i) & kAddressMask) * kGoldenRatio;
    if (hash < lowest) {
      lowest = hash;
      kept = i + 1;
    }
  }
  return kept;
}

}  // namespace seep::stack
