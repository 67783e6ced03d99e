// What the program told by LeakSanitizer's interface (sanitizer/lsan_interface.h).
// Context: IN-HOOK, IN-AGENT.
#pragma once

#include <cstddef>

#include "preload/runtime/arena.h"

namespace seep::intercept {

// Regions that count as roots; where the end is 0 there is none.
inline constexpr std::size_t kMostRootRegions = 1024;
const runtime::MemoryRange* root_regions();

// Whether the program defines __lsan_is_turned_off, and says yes. Calls it: not in a copy.
bool is_turned_off_by_program();

// What the program's __lsan_default_suppressions returns; null where it defines none. Calls it: not
// in a copy.
const char* suppressions_of_program();

}  // namespace seep::intercept
