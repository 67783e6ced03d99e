// What the site of a stack costs, by the way it is found; `frames` is the depth of the stack.
//
// predicted          the same stack as last time: its words are compared
// repeated           no prediction: the thread's last walk is compared step by step
// walked             nothing is known but the unwind rules
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "bench/micro/at_depth.h"
#include "preload/recorder/caller.h"
#include "preload/stack/capture.h"
#include "preload/stack/last_walk.h"
#include "preload/stack/modules.h"
#include "preload/stack/predictions.h"

namespace {

using namespace seep;
using stack::FrameRegisters;

constexpr std::size_t kMostThreads = 64;

// What the recorder keeps for each thread.
struct Cache {
  stack::Predictions predictions;
  stack::LastWalk walk;
};
Cache g_caches[kMostThreads];

[[gnu::noinline]] FrameRegisters here() {
  return recorder::caller_of_hook();
}

Cache& cache_of(const benchmark::State& state) {
  return g_caches[state.thread_index()];
}

void walk_and_keep(Cache& cache, const FrameRegisters& entry, std::uint32_t value) {
  cache.predictions.find(entry, stack::generation());  // what it keeps is of these tables now
  stack::walk(entry, stack::kMaxFrames, cache.walk);
  cache.predictions.add(entry, cache.walk, value);
}

// Runs measure(cache, entry) at the depth asked for. entry is the state of a frame that stays.
template <typename Measure>
void measure_at_depth(benchmark::State& state, const Measure& measure) {
  Cache& cache = cache_of(state);
  cache.predictions.forget();
  cache.walk.forget();
  stack::refresh_modules();
  const auto callers = static_cast<unsigned>(state.range(0)) - 1;
  bench::call_below(
      callers, [&]() __attribute__((noinline)) {
        const FrameRegisters entry = here();
        stack::walk(entry, stack::kMaxFrames, cache.walk);
        state.counters["depth"] =
            benchmark::Counter(cache.walk.count(), benchmark::Counter::kAvgThreads);
        measure(cache, entry);
        benchmark::ClobberMemory();
      });
}

void predicted(benchmark::State& state) {
  measure_at_depth(state, [&](Cache& cache, const FrameRegisters& entry) {
    walk_and_keep(cache, entry, 1);
    std::uint32_t found = 1;
    for (auto _ : state) {
      found &= cache.predictions.find_latest(entry, stack::generation());
      benchmark::ClobberMemory();
    }
    if (found != 1) {
      state.SkipWithError("a stack was not predicted");
    }
  });
}

void repeated(benchmark::State& state) {
  measure_at_depth(state, [&](Cache& cache, const FrameRegisters& entry) {
    unsigned fresh = 0;
    for (auto _ : state) {
      fresh += stack::walk(entry, stack::kMaxFrames, cache.walk).fresh_frames;
      benchmark::ClobberMemory();
    }
    if (fresh != 0) {
      state.SkipWithError("a stack was not repeated");
    }
  });
}

void walked(benchmark::State& state) {
  measure_at_depth(state, [&](Cache& cache, const FrameRegisters& entry) {
    for (auto _ : state) {
      cache.walk.forget();
      stack::walk(entry, stack::kMaxFrames, cache.walk);
      benchmark::ClobberMemory();
    }
  });
}

void configure(benchmark::internal::Benchmark* cases) {
  cases->ArgName("frames");
  for (const std::int64_t frames : {5, 21, 45, 60}) {
    cases->Arg(frames);
  }
}

void configure_threads(benchmark::internal::Benchmark* cases) {
  cases->ArgName("frames")->Arg(21)->Threads(2)->Threads(8)->Threads(64);
}

BENCHMARK(predicted)->Apply(configure);
BENCHMARK(predicted)->Apply(configure_threads);
BENCHMARK(repeated)->Apply(configure);
BENCHMARK(walked)->Apply(configure);
BENCHMARK(walked)->Apply(configure_threads);

}  // namespace
