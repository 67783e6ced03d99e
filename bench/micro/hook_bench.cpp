// What a malloc and its free cost: nothing of seep is linked, so the same program is run with the
// preload and without, and the difference is the hooks' (run.py does that).
//
// A window of blocks is alive; an iteration frees a random one and allocates another in its place.
// `frames` callers are above malloc, `window` blocks are alive in all threads together.
//
// pair     the blocks come from `stacks` (a power of two) call stacks that are alike in depth and
// in
//          the place that calls malloc, and are taken in random order: the worst there is.
// places   they come from 64 places that call malloc, in random order, below the same callers.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "bench/figures/call_paths.h"
#include "bench/micro/at_depth.h"

namespace {

constexpr std::int64_t kMostThreads = 64;
constexpr unsigned kLeastBytes = 16;
constexpr unsigned kSizeClasses = 7;  // 16 to 112 bytes: ten million blocks fit in a gigabyte

// The blocks of one thread, and where they come from. They stay from one repetition to the next,
// since ten million of them take longer to make than to measure.
struct Shape {
  std::size_t blocks = 0;
  unsigned levels = 0;  // of allocate_along
  bool many_places = false;
  bool operator==(const Shape&) const = default;
};
struct Window {
  std::vector<void*> blocks;
  Shape shape;
  std::uint64_t random = 0;
};
Window g_windows[kMostThreads];

std::uint64_t next_random(Window& window) {
  window.random ^= window.random << 13;
  window.random ^= window.random >> 7;
  window.random ^= window.random << 17;
  return window.random;
}

template <std::size_t kPlace>
[[gnu::noinline]] void* allocate_at(std::size_t size) {
  void* block = std::malloc(size);
  benchmark::DoNotOptimize(block);  // the functions differ, and none ends in a jump
  __asm__ volatile("# %0" : : "i"(kPlace));
  return block;
}

constexpr std::size_t kPlaces = 64;
constexpr auto kAllocateAt = []<std::size_t... kPlace>(std::index_sequence<kPlace...>) {
  return std::array{&allocate_at<kPlace>...};
}
(std::make_index_sequence<kPlaces>());

void* allocate(Window& window) {
  const std::uint64_t random = next_random(window);
  const std::size_t size = kLeastBytes + (random >> 32) % kSizeClasses * kLeastBytes;
  return window.shape.many_places ? kAllocateAt[(random >> 40) % kPlaces](size)
                                  : allocate_along(random >> 40, window.shape.levels, size);
}

void fill(Window& window, const Shape& shape, int thread) {
  if (window.shape == shape) {
    return;
  }
  std::for_each(window.blocks.begin(), window.blocks.end(), free);
  window.blocks.clear();
  window.blocks.shrink_to_fit();
  window.shape = shape;
  window.random = 88172645463325252ULL + static_cast<unsigned>(thread);
  window.blocks.resize(shape.blocks);
  std::generate(window.blocks.begin(), window.blocks.end(), [&] { return allocate(window); });
}

[[gnu::noinline]] void replace_blocks(benchmark::State& state, Window& window) {
  for (auto _ : state) {
    void*& block = window.blocks[(next_random(window) >> 32) * window.blocks.size() >> 32];
    free(block);
    block = allocate(window);
  }
  seep::bench::g_calls = seep::bench::g_calls + 1;
}

// replace_blocks and the function that calls malloc
constexpr unsigned kOwnFrames = 2;

void measure(benchmark::State& state, unsigned levels, bool many_places) {
  const auto frames = static_cast<unsigned>(state.range(0));
  if (frames < seep::bench::kLeastCallers + kOwnFrames + levels) {
    state.SkipWithError("too few frames for as many stacks");
    return;
  }
  Window& window = g_windows[state.thread_index()];
  const auto blocks = static_cast<std::size_t>(state.range(1) / state.threads());
  fill(window, {blocks, levels, many_places}, state.thread_index());
  seep::bench::call_below(frames - kOwnFrames - levels, [&] { replace_blocks(state, window); });
}

void pair(benchmark::State& state) {
  measure(state, static_cast<unsigned>(__builtin_ctzll(state.range(2))), false);
}

void places(benchmark::State& state) {
  measure(state, 0, true);
}

// One quantity changes at a time; where threads do, the window is large enough to be shared.
void configure(benchmark::internal::Benchmark* cases) {
  constexpr std::int64_t kFrames = 21;
  constexpr std::int64_t kWindow = 1000;
  constexpr std::int64_t kManyStacks = 4096;
  constexpr std::int64_t kMillion = 1000000;
  cases->ArgNames({"frames", "window", "stacks"});
  for (const std::int64_t frames : {5, 21, 45, 60}) {
    cases->Args({frames, kWindow, 1});
  }
  for (const std::int64_t stacks : {std::int64_t{64}, kManyStacks}) {
    cases->Args({kFrames, kWindow, stacks});
  }
  cases->Args({kFrames, kMillion, 1})->Args({kFrames, 10 * kMillion, 1});
  cases->Args({kFrames, kMillion, kManyStacks});
}

void configure_threads(benchmark::internal::Benchmark* cases) {
  cases->ArgNames({"frames", "window", "stacks"});
  cases->Args({21, 100000, 1})->Args({21, 100000, 4096});
  for (const int threads : {1, 2, 8, 64}) {
    cases->Threads(threads);
  }
}

BENCHMARK(pair)->Apply(configure);
BENCHMARK(pair)->Apply(configure_threads);
BENCHMARK(places)->ArgNames({"frames", "window"})->Args({21, 1000})->Args({21, 1000000});

}  // namespace
