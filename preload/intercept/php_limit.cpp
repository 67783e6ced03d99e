#include "preload/intercept/php_limit.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/intercept/process_events.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/thread_pointer.h"

namespace seep::intercept {
namespace {

constexpr std::uintptr_t kChunkBytes = std::uintptr_t{2} << 20;
constexpr std::size_t kUsedWord = 2;  // the size, before the lists of free objects
// Lists of free objects stand before the figures; the handlers behind them.
constexpr std::size_t kFirstWord = 30;
constexpr std::size_t kLastWord = 60;
// In words before the pointer to the first chunk. Late releases of 8.4 have two words more.
constexpr std::size_t kSizeBefore = 5;
constexpr std::size_t kMostSizeBefore = 8;
constexpr std::size_t kOverflowBefore = 2;
// PHP writes half of all that a word can hold for "none".
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62;

constexpr long kError = 1;  // E_ERROR

// Of 7.4, and fewer arguments since: all of them are words.
using ErrorFunction = void (*)(long, long, long, long, long, long);

// The real size of a heap, its peak and its limit.
constexpr std::size_t kFigures = 3;

constinit ErrorFunction g_report = nullptr;
// Of the heap of one thread, and read by it alone: other threads may outlive that heap.
constinit const volatile int* g_overflow = nullptr;
constinit std::uintptr_t g_thread = 0;

// Read by threads that take snapshots. The heap goes first and comes last: acquire in php_memory,
// release in watch_php_limit. What is kept: the same, in keep_php_memory.
constinit std::atomic<const std::uint64_t*> g_words{nullptr};
constinit std::size_t g_figures_at = 0;
constinit PhpMemory g_kept;
constinit std::atomic<bool> g_is_kept{false};

// Whole pages, within the peak, and that within the limit.
bool are_figures(const std::uint64_t* size) {
  return size[0] != 0 && size[0] % runtime::kPageBytes == 0 && size[0] <= size[1] &&
         size[1] <= size[2];
}

struct Words {
  const volatile int* overflow = nullptr;  // null: not found
  std::size_t chunk_at = 0;                // the pointer to the first chunk
};

Words find_words(const PhpHeap* heap) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(heap);
  const std::uint64_t chunk = reinterpret_cast<std::uintptr_t>(heap) & ~(kChunkBytes - 1);
  for (std::size_t i = kFirstWord; i <= kLastWord; ++i) {
    bool has_figures = false;
    for (std::size_t before = kSizeBefore; before <= kMostSizeBefore; ++before) {
      has_figures = has_figures || are_figures(&words[i - before]);
    }
    if (words[i] == chunk && has_figures) {
      const auto* mark = reinterpret_cast<const int*>(&words[i - kOverflowBefore]);
      return {*mark == 0 ? mark : nullptr, i};
    }
  }
  return {};
}

// Where the real size, its peak and the limit stand, by what PHP says of the first two; 0: nowhere.
// A peak and a limit look like a size and its peak, too.
std::size_t find_figures(const std::uint64_t* words, std::size_t chunk_at,
                         const PhpLimitSymbols& symbols) {
  if (symbols.usage == nullptr || symbols.peak == nullptr || symbols.usage(0) != words[kUsedWord]) {
    return 0;
  }
  for (std::size_t before = kSizeBefore; before <= kMostSizeBefore; ++before) {
    const std::uint64_t* size = &words[chunk_at - before];
    if (are_figures(size) && size[0] == symbols.usage(1) && size[1] == symbols.peak(1)) {
      return chunk_at - before;
    }
  }
  return 0;
}

// It may be left by longjmp, as may the function behind it.
void report(long type, long a, long b, long c, long d, long e) {
  if ((type & kError) != 0 && runtime::thread_pointer() == g_thread && *g_overflow != 0 &&
      g_process_events.on_mark != nullptr) {
    MarkEvent event;
    event.trigger = format::Trigger::kLimit;
    g_process_events.on_mark(event);
  }
  g_report(type, a, b, c, d, e);
}

}  // namespace

void watch_php_limit(const PhpHeap* heap, const PhpLimitSymbols& symbols) {
  const Words found = find_words(heap);
  const auto* words = reinterpret_cast<const std::uint64_t*>(heap);
  if (found.overflow == nullptr) {
    return;
  }
  if (const std::size_t at = find_figures(words, found.chunk_at, symbols); at != 0) {
    g_figures_at = at;
    g_words.store(words, std::memory_order_release);
  }
  auto* const callback = static_cast<ErrorFunction*>(symbols.error_callback);
  if (callback != nullptr && *callback != nullptr && *callback != report) {
    g_overflow = found.overflow;
    g_thread = runtime::thread_pointer();
    g_report = *callback;
    *callback = report;
  }
}

PhpMemory php_memory() {
  if (g_is_kept.load(std::memory_order_acquire)) {
    return g_kept;
  }
  const std::uint64_t* words = g_words.load(std::memory_order_acquire);
  std::uint64_t figures[kFigures] = {};
  std::uint64_t used = 0;
  if (words == nullptr ||
      !runtime::read_own_memory(words + g_figures_at, figures, sizeof(figures)) ||
      !runtime::read_own_memory(words + kUsedWord, &used, sizeof(used))) {
    return {};
  }
  return {figures[2] < kNoLimit ? figures[2] : 0, figures[0], figures[1], used};
}

void keep_php_memory() {
  if (!g_is_kept.load(std::memory_order_relaxed)) {
    g_kept = php_memory();
    g_is_kept.store(true, std::memory_order_release);
  }
}

void forget_php_limit() {
  g_report = nullptr;
  g_overflow = nullptr;
  g_words.store(nullptr, std::memory_order_release);
  g_is_kept.store(false, std::memory_order_release);
}

}  // namespace seep::intercept
