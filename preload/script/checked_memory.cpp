#include "preload/script/checked_memory.h"

#include <atomic>

#include "preload/runtime/file.h"

namespace seep::script {
namespace {

constexpr std::uintptr_t kPageBytes = 4096;
constexpr std::size_t kPages = 1024;

// Pages that were read, each in the place that its number gives. Relaxed: a figure that stands for
// nothing else; the page 0 is never there.
constinit std::atomic<std::uintptr_t> g_pages[kPages] = {};

bool is_page_readable(std::uintptr_t page) {
  std::atomic<std::uintptr_t>& known = g_pages[page % kPages];
  if (page != 0 && known.load(std::memory_order_relaxed) == page) {
    return true;
  }
  std::uint64_t word = 0;
  if (!runtime::read_own_memory(reinterpret_cast<const void*>(page * kPageBytes), &word,
                                sizeof(word))) {
    return false;
  }
  known.store(page, std::memory_order_relaxed);
  return true;
}

}  // namespace

bool is_readable(std::uintptr_t address, std::size_t bytes) {
  std::uintptr_t last = 0;
  if (bytes == 0 || __builtin_add_overflow(address, bytes - 1, &last)) {
    return false;
  }
  const std::uintptr_t first_page = address / kPageBytes;
  const std::uintptr_t last_page = last / kPageBytes;
  return is_page_readable(first_page) && (last_page == first_page || is_page_readable(last_page));
}

}  // namespace seep::script
