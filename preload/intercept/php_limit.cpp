#include "preload/intercept/php_limit.h"

#include <cstddef>
#include <cstdint>

#include "preload/intercept/process_events.h"
#include "preload/runtime/arena.h"

namespace seep::intercept {
namespace {

constexpr std::uintptr_t kChunkBytes = std::uintptr_t{2} << 20;
// Lists of free objects stand before the figures; the handlers behind them.
constexpr std::size_t kFirstWord = 30;
constexpr std::size_t kLastWord = 60;
// In words before the pointer to the first chunk. Late releases of 8.4 have two words more.
constexpr std::size_t kSizeBefore = 5;
constexpr std::size_t kMostSizeBefore = 8;
constexpr std::size_t kOverflowBefore = 2;

constexpr long kError = 1;  // E_ERROR

// Of 7.4, and fewer arguments since: all of them are words.
using ErrorFunction = void (*)(long, long, long, long, long, long);

// Used by the thread that runs PHP.
constinit ErrorFunction g_report = nullptr;
constinit const volatile int* g_overflow = nullptr;

// Whole pages, within the peak, and that within the limit.
bool are_figures(const std::uint64_t* size) {
  return size[0] != 0 && size[0] % runtime::kPageBytes == 0 && size[0] <= size[1] &&
         size[1] <= size[2];
}

const volatile int* find_overflow(const PhpHeap* heap) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(heap);
  const std::uint64_t chunk = reinterpret_cast<std::uintptr_t>(heap) & ~(kChunkBytes - 1);
  for (std::size_t i = kFirstWord; i <= kLastWord; ++i) {
    bool has_figures = false;
    for (std::size_t before = kSizeBefore; before <= kMostSizeBefore; ++before) {
      has_figures = has_figures || are_figures(&words[i - before]);
    }
    if (words[i] == chunk && has_figures) {
      const auto* mark = reinterpret_cast<const int*>(&words[i - kOverflowBefore]);
      return *mark == 0 ? mark : nullptr;
    }
  }
  return nullptr;
}

// It may be left by longjmp, as may the function behind it.
void report(long type, long a, long b, long c, long d, long e) {
  if ((type & kError) != 0 && *g_overflow != 0 && g_process_events.on_mark != nullptr) {
    MarkEvent event;
    event.trigger = format::Trigger::kLimit;
    g_process_events.on_mark(event);
  }
  g_report(type, a, b, c, d, e);
}

}  // namespace

void watch_php_limit(const PhpHeap* heap, void* error_callback) {
  auto* const callback = static_cast<ErrorFunction*>(error_callback);
  const volatile int* const overflow = find_overflow(heap);
  if (callback == nullptr || *callback == nullptr || *callback == report || overflow == nullptr) {
    return;
  }
  g_overflow = overflow;
  g_report = *callback;
  *callback = report;
}

void forget_php_limit() {
  g_report = nullptr;
  g_overflow = nullptr;
}

}  // namespace seep::intercept
