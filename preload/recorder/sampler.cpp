#include "preload/recorder/sampler.h"

#include <atomic>

#include "preload/runtime/real_math.h"

namespace seep::recorder {

constinit thread_local SampleCountdown t_countdown;

namespace {

constinit std::uint64_t g_mean_bytes = 524288;      // written before recording begins
constinit std::atomic<std::uint64_t> g_threads{0};  // relaxed: any two seeds differ

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a counter with a fixed step, well mixed.
constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ value >> 27) * 0x94D049BB133111EBULL;
  return value ^ value >> 31;
}

// Without a system call: the time-stamp counter tells processes apart (a fork's child has its
// parent's memory), the address of the countdown and a count tell threads apart.
std::uint64_t fresh_seed() {
  const std::uint64_t thread = g_threads.fetch_add(kStep, std::memory_order_relaxed);
  return mix(__builtin_ia32_rdtsc() ^ reinterpret_cast<std::uintptr_t>(&t_countdown)) ^ mix(thread);
}

// An exponential number of bytes, rounded down: n bytes hold it with probability 1 - e^(-n/mean)
// exactly. u = v/2^53 is in (0, 1]; the largest distance is 36.7 means.
[[gnu::noinline]] std::int64_t distance_of(std::uint64_t v) {
  constexpr double kLogOfRange = 36.7368005696771013991;  // ln 2^53
  const double distance = kLogOfRange - runtime::natural_log(static_cast<double>(v));
  return distance > 0 ? static_cast<std::int64_t>(distance * static_cast<double>(g_mean_bytes)) : 0;
}

std::int64_t draw(SampleCountdown& countdown) {
  constexpr unsigned kUnusedBits = 64 - 53;
  countdown.random += kStep;
  const runtime::FloatEnvironment environment;
  return distance_of((mix(countdown.random) >> kUnusedBits) + 1);
}

double inclusion(std::uint64_t size, std::uint64_t mean_bytes) {
  const std::uint64_t counted = size == 0 ? 1 : size;
  return runtime::one_minus_exp(static_cast<double>(counted) / static_cast<double>(mean_bytes));
}

std::uint64_t fixed(double value, unsigned fraction_bits) {
  return static_cast<std::uint64_t>(
      runtime::nearest(value * static_cast<double>(1U << fraction_bits)));
}

}  // namespace

void start_sampling(std::uint64_t mean_bytes) {
  g_mean_bytes = mean_bytes;
}

bool decide(std::uint64_t stride) {
  SampleCountdown& countdown = t_countdown;
  std::int64_t distance = countdown.left + countdown.beyond;
  if (!countdown.drawn) {
    countdown.drawn = true;
    countdown.random = fresh_seed();
    distance += draw(countdown);
  }
  const bool sampled = distance < 0;
  if (sampled) {
    distance = draw(countdown);
  }
  const auto most = static_cast<std::int64_t>(stride);
  countdown.left = distance < most ? distance : most;
  countdown.beyond = distance - countdown.left;
  return sampled;
}

void restart_sampling() {
  t_countdown = {};
}

Weight weight_of(std::uint64_t size, std::uint64_t mean_bytes) {
  const double p = inclusion(size, mean_bytes);
  return {fixed(1 / p, kBlockFractionBits),
          fixed(static_cast<double>(size) / p, kByteFractionBits)};
}

Variance variance_of(std::uint64_t size, std::uint64_t mean_bytes) {
  const double p = inclusion(size, mean_bytes);
  const double of_one = (1 - p) / (p * p);
  const auto bytes = static_cast<double>(size);
  return {of_one, bytes * bytes * of_one};
}

void seed_for_testing(std::uint64_t seed) {
  t_countdown = {};
  t_countdown.drawn = true;
  t_countdown.random = mix(seed);
  t_countdown.left = draw(t_countdown);
}

}  // namespace seep::recorder
