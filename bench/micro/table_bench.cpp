// What the address table costs by itself: one removal and one insertion, of a random block among
// `window` live ones, all threads together. Blocks lie 64 bytes apart, as in a heap of small ones.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "preload/table/address_table.h"

namespace {

using seep::table::AddressTable;
using seep::table::Block;
using seep::table::Insert;

constexpr std::uint64_t kBase = std::uint64_t{1} << 40;
constexpr std::uint64_t kBlockBytes = 64;
constexpr std::uint32_t kSites = 4096;

constinit AddressTable g_table;

// The blocks of one thread: a piece of the window.
struct Piece {
  std::uint64_t begin;
  std::uint64_t count;
};

Piece piece_of(const benchmark::State& state) {
  const std::uint64_t count = static_cast<std::uint64_t>(state.range(0)) / state.threads();
  return {kBase + count * kBlockBytes * static_cast<unsigned>(state.thread_index()), count};
}

Block block_at(const Piece& piece, std::uint64_t index) {
  const auto site = static_cast<std::uint32_t>(1 + index % kSites);
  return {piece.begin + index * kBlockBytes, 16 + index % kBlockBytes, site, 1};
}

// As the recorder does it.
bool insert(const Block& block) {
  Block old;
  return g_table.try_insert(block) || g_table.insert(block, old) == Insert::kNew;
}

template <typename Function>
void for_all(const Piece& piece, const Function& function) {
  for (std::uint64_t i = 0; i < piece.count; ++i) {
    function(block_at(piece, i));
  }
}

void remove_and_insert(benchmark::State& state) {
  const Piece piece = piece_of(state);
  for_all(piece, insert);
  std::uint64_t random = 88172645463325252ULL + static_cast<unsigned>(state.thread_index());
  bool intact = true;
  for (auto _ : state) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const Block block = block_at(piece, (random >> 32) * piece.count >> 32);
    intact &= g_table.remove(block.address);
    intact &= insert(block);
  }
  if (!intact) {
    state.SkipWithError("a block was not where it had been put");
  }
  for_all(piece, [](const Block& block) { g_table.remove(block.address); });
}
BENCHMARK(remove_and_insert)
    ->ArgName("window")
    ->Arg(1000)
    ->Arg(100000)
    ->Arg(1000000)
    ->Arg(10000000);
BENCHMARK(remove_and_insert)->ArgName("window")->Arg(1000000)->Threads(2)->Threads(8)->Threads(64);

// What a snapshot does with it.
void walk(benchmark::State& state) {
  const Piece piece = piece_of(state);
  for_all(piece, insert);
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    g_table.walk([&](const Block& block) { bytes += block.size; });
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(state.iterations() * state.range(0));
  for_all(piece, [](const Block& block) { g_table.remove(block.address); });
}
BENCHMARK(walk)->ArgName("window")->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace
