// Whether a suppression holds for a call stack. Stateless, safe from any thread.
#pragma once

#include <span>

#include "analyzer/suppress/suppression.h"

namespace seep::suppress {

// `stack` is innermost first and begins at the code that called the allocator, whose own frame is
// not in it: a Valgrind block begins with that frame, and may name any allocation function there.
// `kinds`: what of the leak's memory is lost how, as far as that is known; kAllKinds when it is
// not.
//
// LeakSanitizer's form matches the function (with or without its parameters), the file or the
// module of any frame. Valgrind's matches from the innermost frame on; frames beyond the block are
// free.
bool matches(const Suppression& suppression, std::span<const Frame> stack, unsigned kinds);

}  // namespace seep::suppress
