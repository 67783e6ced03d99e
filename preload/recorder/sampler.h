// Which allocations are recorded in sample mode, and for how many each of them stands.
// Context: IN-HOOK, any thread, also inside a signal handler. One that interrupts decide() and
// allocates may share its sample point with the call below it: a window of a few instructions at a
// sample point biases nothing that could be measured.
//
// Every byte that is allocated is a sample point with the same small chance, independently: a
// Poisson process over bytes. A thread counts down an exponential number of bytes to its next
// point; the block that holds it is recorded, and the distance to the next is drawn, from the end
// of the block: the process has no memory. So a block of n bytes is recorded with
//
//   p(n) = 1 - e^(-n/mean)
//
// whatever was allocated before, also where n is larger than the mean. A block of 0 bytes counts as
// 1. A block that realloc resizes or moves is a release and an allocation, as it is in exact mode.
//
// Estimates are Horvitz and Thompson's: a recorded block counts as 1/p blocks and n/p bytes, which
// is unbiased for any sum over blocks. Blocks are recorded independently, so an unbiased estimate
// of the variance of such a sum of y is  Σ y²·(1-p)/p²  over those recorded (Horvitz and Thompson,
// JASA 47, 1952, pp. 663–685; Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992,
// §3.5, Poisson sampling).
#pragma once

#include <cstddef>
#include <cstdint>

namespace seep::recorder {

// The mean may be from 1 KiB (below, an allocation costs more than in exact mode) to 1 GiB.
inline constexpr std::uint64_t kLeastSampleBytes = std::uint64_t{1} << 10;
inline constexpr std::uint64_t kMostSampleBytes = std::uint64_t{1} << 30;

// The way to a thread's next sample point goes in strides: at the end of each, the thread looks at
// the clock, as it does every kCallsPerLook calls in exact mode.
//
//   |<- left ->|<-------- beyond -------->|
//   now        end of the stride          sample point
struct SampleCountdown {
  std::int64_t left = 0;  // below 0: the slow path is due
  std::int64_t beyond = 0;
  std::uint64_t random = 0;
  bool drawn = false;  // false: the thread has no distance yet
};

[[gnu::visibility("hidden")]] extern constinit thread_local SampleCountdown t_countdown;

// AT-INIT: the mean number of bytes between sample points.
void start_sampling(std::uint64_t mean_bytes);

inline std::size_t counted_bytes(std::size_t bytes) {
  return bytes + static_cast<std::size_t>(bytes == 0);
}

// Counts an allocation of `bytes` down. False for most: it is not recorded, and nothing else is to
// be done. True: decide() says.
inline bool sampling_due(std::size_t bytes) {
  t_countdown.left -= static_cast<std::int64_t>(counted_bytes(bytes));
  return t_countdown.left < 0;
}

// After sampling_due() has said true: whether the allocation it counted is recorded. The next
// stride is at most `stride` bytes; with 0, the thread's next allocation is due again.
bool decide(std::uint64_t stride);

// In a fork's child: another sequence than the parent's from here on, and the next allocation is
// due.
void restart_sampling();

// For how much a recorded block stands, in fixed point: the same number wherever a block is added
// up, so a site from which nothing was freed has as much alive as was born. Rounding is to nearest:
// less than 1.3e-4 of a block, less than 3.1e-5 of the bytes.
struct Weight {
  std::uint64_t blocks = 0;  // in 2^-kBlockFractionBits
  std::uint64_t bytes = 0;   // in 2^-kByteFractionBits
};
inline constexpr unsigned kBlockFractionBits = 12;
inline constexpr unsigned kByteFractionBits = 4;

// Nearest whole number of what was added up in fixed point.
inline std::uint64_t whole_blocks(std::uint64_t sum) {
  return (sum + (1U << (kBlockFractionBits - 1))) >> kBlockFractionBits;
}
inline std::uint64_t whole_bytes(std::uint64_t sum) {
  return (sum + (1U << (kByteFractionBits - 1))) >> kByteFractionBits;
}

// `mean_bytes` at least kLeastSampleBytes. Inside a runtime::FloatEnvironment.
Weight weight_of(std::uint64_t size, std::uint64_t mean_bytes);

// What a recorded block adds to the variance of the sums of blocks and of bytes.
struct Variance {
  double blocks = 0;
  double bytes = 0;
};
// Inside a runtime::FloatEnvironment.
Variance variance_of(std::uint64_t size, std::uint64_t mean_bytes);

// The same sequence in every run.
void seed_for_testing(std::uint64_t seed);

}  // namespace seep::recorder
