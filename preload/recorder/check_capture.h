// Captures that are checked, each one: in libseep_checked.so, which only tests load. In libseep.so
// nothing is left of it.
// Context: IN-HOOK. Needs 5 KB of stack, and some microseconds for each stack.
#pragma once

#include <cstdint>

#include "preload/recorder/caller.h"

namespace seep::recorder {

// Finds the stack of the hook that runs now again, and compares it with the one that the site was
// given, frame by frame. `caller` is the hook's.
//
//   stack::capture   from scratch: no prediction, no last walk
//   a plain unwind   with all registers, each frame's rule read from its tables: no rule that was
//                    kept, none in compact form; and the loader is asked which file lies there. As
//                    far as there are tables.
//   the script       its frames walked anew, by nothing that was remembered of stacks
//
// CaptureCount::compared and ::different tell; the first differences are printed to descriptor 2.
#ifdef SEEP_CHECK_CAPTURES
void check_capture(std::uint32_t site, const Caller& caller);
#else
inline void check_capture(std::uint32_t /*site*/, const Caller& /*caller*/) {}
#endif

}  // namespace seep::recorder
