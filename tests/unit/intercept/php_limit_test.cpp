// PHP's memory_limit, of a heap that is made of plain memory here.
#include "preload/intercept/php_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <thread>

#include "preload/intercept/process_events.h"

namespace seep::intercept {

constinit ProcessEventHandlers g_process_events;

namespace {

constexpr std::size_t kChunkBytes = std::size_t{2} << 20;
// Words of the heap, as version 8.2 has them.
constexpr std::size_t kUsed = 2;
constexpr std::size_t kSize = 35;
constexpr std::size_t kPeak = 36;
constexpr std::size_t kLimit = 37;
constexpr std::size_t kOverflow = 38;
constexpr std::size_t kChunk = 40;

int g_marks = 0;
int g_reports = 0;
using ErrorFunction = void (*)(long, long, long, long, long, long);

void report_of_php(long, long, long, long, long, long) {
  ++g_reports;
}

TEST(PhpLimit, IsToldByTheThreadWhoseHeapItIsAlone) {
  const std::unique_ptr<void, void (*)(void*)> chunk(std::aligned_alloc(kChunkBytes, kChunkBytes),
                                                     std::free);
  auto* words = static_cast<std::uint64_t*>(chunk.get()) + 8;
  std::fill_n(words, 64, 0);
  words[kUsed] = 1 << 20;
  words[kSize] = words[kPeak] = 2 << 20;
  words[kLimit] = 16 << 20;
  words[kChunk] = reinterpret_cast<std::uint64_t>(chunk.get());
  g_process_events.on_mark = [](const MarkEvent&) { ++g_marks; };
  ErrorFunction callback = report_of_php;
  PhpLimitSymbols symbols;
  symbols.error_callback = &callback;
  symbols.usage = [](int real) -> unsigned long { return real != 0 ? 2 << 20 : 1 << 20; };
  symbols.peak = [](int) -> unsigned long { return 2 << 20; };
  watch_php_limit(reinterpret_cast<const PhpHeap*>(words), symbols);
  EXPECT_EQ(php_memory().limit, 16U << 20);
  callback(1, 0, 0, 0, 0, 0);
  EXPECT_EQ(g_marks, 0) << "an error of another kind";
  words[kOverflow] = 1;
  std::thread([&callback] { callback(1, 0, 0, 0, 0, 0); }).join();
  EXPECT_EQ(g_marks, 0) << "the heap of another thread";
  callback(1, 0, 0, 0, 0, 0);
  EXPECT_EQ(g_marks, 1);
  EXPECT_EQ(g_reports, 3);
  forget_php_limit();
}

}  // namespace
}  // namespace seep::intercept
