// LeakSanitizer's interface, so that programs annotated for it mean the same here. Weak: where
// LeakSanitizer itself is there, its own functions are called. The library looks for losses as ever
// where the program only wants them reported or the process ended: it never ends the program.
#include "preload/intercept/lsan_hooks.h"

#include "preload/intercept/elf_symbols.h"
#include "preload/intercept/process_events.h"
#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"

#define SEEP_WEAK_EXPORT extern "C" [[gnu::visibility("default"), gnu::weak]]

namespace seep::intercept {
namespace {

using runtime::MemoryRange;

// A place is taken by its beginning and counts once it has an end, which is cleared first: so no
// thread waits for another. Read in a copy of the process.
constinit MemoryRange g_regions[kMostRootRegions] = {};

// Writes `fresh` where `old` stands; false where another value does.
bool exchange(std::uintptr_t& word, std::uintptr_t old, std::uintptr_t fresh) {
  return __atomic_compare_exchange_n(&word, &old, fresh, /*weak=*/false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED);
}

void add_region(const MemoryRange& fresh) {
  for (MemoryRange& region : g_regions) {
    if (exchange(region.begin, 0, fresh.begin)) {
      __atomic_store_n(&region.end, fresh.end, __ATOMIC_RELEASE);
      return;
    }
  }
}

// The first that is the same.
void remove_region(const MemoryRange& old) {
  for (MemoryRange& region : g_regions) {
    if (__atomic_load_n(&region.begin, __ATOMIC_RELAXED) == old.begin &&
        exchange(region.end, old.end, 0)) {
      __atomic_store_n(&region.begin, 0, __ATOMIC_RELEASE);
      return;
    }
  }
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

const char* suppressions_of_program() {
  void* const give = find_first_definition("__lsan_default_suppressions").address;
  return give != nullptr ? reinterpret_cast<const char* (*)()>(give)() : nullptr;
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
  add_region(region_of(begin, bytes));
}

SEEP_WEAK_EXPORT void __lsan_unregister_root_region(const void* begin, std::size_t bytes) {
  remove_region(region_of(begin, bytes));
}

SEEP_WEAK_EXPORT void __lsan_do_leak_check() {
  check_for_losses(/*is_last=*/true);
}

SEEP_WEAK_EXPORT int __lsan_do_recoverable_leak_check() {
  return check_for_losses(/*is_last=*/false) ? 1 : 0;
}

}  // namespace seep::intercept
