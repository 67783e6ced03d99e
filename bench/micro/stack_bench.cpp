// What a stack costs: ours against libunwind's, warm and cold. The argument is the number of frames
// below the benchmark's own.
#include <benchmark/benchmark.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "preload/stack/capture.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/cfi.h"
#include "preload/stack/modules.h"
#include "preload/stack/rule_cache.h"

namespace {

namespace stack = seep::stack;

volatile int g_sink = 0;

template <typename Function>
[[gnu::noinline]] void at_depth(int depth, const Function& function) {
  if (depth == 0) {
    function();
  } else {
    at_depth(depth - 1, function);
  }
  g_sink = g_sink + 1;  // keeps the call from becoming a jump
}

void report_frames(benchmark::State& state, unsigned frames) {
  state.counters["frames"] = frames;
}

void capture_warm(benchmark::State& state) {
  stack::set_skip_own_module(false);
  stack::Stack out;
  at_depth(static_cast<int>(state.range(0)), [&] {
    for (auto _ : state) {
      stack::capture(stack::kMaxFrames, out);
      benchmark::ClobberMemory();
    }
  });
  report_frames(state, out.depth);
}
BENCHMARK(capture_warm)->Arg(4)->Arg(12)->Arg(36);

void unw_backtrace_warm(benchmark::State& state) {
  void* frames[stack::kMaxFrames];
  int depth = 0;
  at_depth(static_cast<int>(state.range(0)), [&] {
    for (auto _ : state) {
      depth = unw_backtrace(frames, stack::kMaxFrames);
      benchmark::ClobberMemory();
    }
  });
  report_frames(state, static_cast<unsigned>(depth));
}
BENCHMARK(unw_backtrace_warm)->Arg(4)->Arg(12)->Arg(36);

void unw_step_warm(benchmark::State& state) {
  unsigned depth = 0;
  at_depth(static_cast<int>(state.range(0)), [&] {
    for (auto _ : state) {
      unw_context_t context;
      unw_cursor_t cursor;
      unw_getcontext(&context);
      unw_init_local(&cursor, &context);
      depth = 1;
      while (depth < stack::kMaxFrames && unw_step(&cursor) > 0) {
        ++depth;
      }
    }
  });
  report_frames(state, depth);
}
BENCHMARK(unw_step_warm)->Arg(12);

// The same walk with all rules forgotten each time: what the first walk of a path costs.
void capture_cold(benchmark::State& state) {
  stack::set_skip_own_module(false);
  stack::Stack out;
  at_depth(static_cast<int>(state.range(0)), [&] {
    for (auto _ : state) {
      state.PauseTiming();
      std::memset(static_cast<void*>(stack::g_rule_slots), 0, sizeof(stack::g_rule_slots));
      state.ResumeTiming();
      stack::capture(stack::kMaxFrames, out);
      benchmark::ClobberMemory();
    }
  });
  report_frames(state, out.depth);
}
BENCHMARK(capture_cold)->Arg(12);

// One rule out of the tables, for each function of libc in turn: the processor's caches do not help
// as they do when one walk is repeated.
void find_rule_over_libc(benchmark::State& state) {
  stack::refresh_modules();
  const stack::Load* libc = stack::find_place(reinterpret_cast<std::uint64_t>(&std::strtol)).load;
  const stack::UnwindTables& tables = libc->image.tables;
  std::uint32_t index = 0;
  stack::Rule rule;
  for (auto _ : state) {
    index = (index + 7919) % tables.table_entries;
    std::int32_t distance = 0;
    std::memcpy(&distance, tables.table + std::size_t{index} * 8, sizeof(distance));
    const std::uint64_t pc = reinterpret_cast<std::uint64_t>(tables.header) + distance;
    benchmark::DoNotOptimize(stack::find_rule(tables, pc + 8, rule));
  }
}
BENCHMARK(find_rule_over_libc);

void refresh_without_change(benchmark::State& state) {
  for (auto _ : state) {
    stack::refresh_modules();
  }
}
BENCHMARK(refresh_without_change);

void module_intact(benchmark::State& state) {
  stack::refresh_modules();
  const stack::Load* libc = stack::find_place(reinterpret_cast<std::uint64_t>(&std::strtol)).load;
  for (auto _ : state) {
    benchmark::DoNotOptimize(stack::is_intact(*libc));
  }
}
BENCHMARK(module_intact);

}  // namespace
