// Waits for an interpreter to start in the process, reads its stacks and sees its allocator from
// then on. Context: choose_languages AT-INIT, in the thread that main will run in;
// look_for_interpreters IN-HOOK, at each look at the clock while recording.
#pragma once

#include <cstdint>

#include "preload/script/php_layout.h"

namespace seep::intercept {

struct Languages {
  bool php = false;
  bool python = false;
  script::PhpLayout php_layout;  // that the user gave, or none
};

void choose_languages(const Languages& languages);

// `modules` changes when libraries were loaded: an interpreter may be in one of them. True while
// each allocation should lead to a look: an interpreter has not yet made its heap.
bool look_for_interpreters(std::uint64_t modules);

// The library with this place in it is about to be unmapped, perhaps with an interpreter.
void forget_interpreters_at(const void* place);

// IN-FORK-CHILD. Another thread of the parent may have been looking.
void recover_interpreters_after_fork();

}  // namespace seep::intercept
