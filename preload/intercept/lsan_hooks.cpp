// LeakSanitizer's interface, so that programs annotated for it mean the same here. Weak: where
// LeakSanitizer itself is there, its own functions are called. The library looks for losses as ever
// where the program only wants them reported or the process ended: it never ends the program.
#include "preload/intercept/lsan_hooks.h"

#include <atomic>

#include "preload/intercept/elf_symbols.h"
#include "preload/intercept/process_events.h"
#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"

#define SEEP_WEAK_EXPORT extern "C" [[gnu::visibility("default"), gnu::weak]]

namespace seep::intercept {
namespace {

using runtime::MemoryRange;

// Written by any thread under g_regions_busy, which is held for a few stores; read in a copy of the
// process.
constinit MemoryRange g_regions[kMostRootRegions] = {};
constinit std::atomic_flag g_regions_busy = ATOMIC_FLAG_INIT;

// Puts `fresh` where `old` stands; nothing where it stands nowhere.
void replace_region(const MemoryRange& old, const MemoryRange& fresh) {
  while (g_regions_busy.test_and_set(std::memory_order_acquire)) {
    __builtin_ia32_pause();
  }
  for (MemoryRange& region : g_regions) {
    if (region.begin == old.begin && region.end == old.end) {
      region = fresh;
      break;
    }
  }
  g_regions_busy.clear(std::memory_order_release);
}

MemoryRange region_of(const void* begin, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  return {address, address + bytes};
}

bool check_for_losses(bool is_last) {
  return g_process_events.on_leak_check != nullptr && g_process_events.on_leak_check(is_last);
}

}  // namespace

const MemoryRange* root_regions() {
  return g_regions;
}

bool is_turned_off_by_program() {
  void* const answer = find_first_definition("__lsan_is_turned_off").address;
  return answer != nullptr && reinterpret_cast<int (*)()>(answer)() != 0;
}

SEEP_WEAK_EXPORT void __lsan_disable() {
  recorder::begin_keeping();
}

SEEP_WEAK_EXPORT void __lsan_enable() {
  recorder::end_keeping();
}

SEEP_WEAK_EXPORT void __lsan_ignore_object(const void* block) {
  recorder::keep_block(block);
}

SEEP_WEAK_EXPORT void __lsan_register_root_region(const void* begin, std::size_t bytes) {
  replace_region({}, region_of(begin, bytes));
}

SEEP_WEAK_EXPORT void __lsan_unregister_root_region(const void* begin, std::size_t bytes) {
  replace_region(region_of(begin, bytes), {});
}

SEEP_WEAK_EXPORT void __lsan_do_leak_check() {
  check_for_losses(/*is_last=*/true);
}

SEEP_WEAK_EXPORT int __lsan_do_recoverable_leak_check() {
  return check_for_losses(/*is_last=*/false) ? 1 : 0;
}

}  // namespace seep::intercept
