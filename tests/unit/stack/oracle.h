// Compares seep's stacks with libunwind's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "preload/stack/capture.h"

namespace seep::stack::testing {

// Both stacks of the calling function's caller and outward, as frames with flags (kExactPc only)
// in text form, one frame a line. Taken in one function, so that they must be equal.
struct BothStacks {
  std::string ours;
  std::string libunwind;
  Stack stack;  // ours, as captured
};

[[gnu::noinline]] BothStacks capture_both();

// Captures with the calling function as frame 0: what follows the call keeps it from becoming a
// jump.
[[gnu::always_inline]] inline void capture_here(Stack& out) {
  capture(kMaxFrames, out);
  __asm__ volatile("" ::: "memory");
}

// A frame as text: file name and ELF address.
std::string describe(const Frame& frame);
// The same for a run-time address.
std::string describe_pc(std::uint64_t pc, std::uint32_t flags);

// capture_both without any allocation, for signal handlers: the number of frames when both agree,
// and -1 - (index of the first frame that differs) otherwise.
[[gnu::noinline]] int compare_in_handler();

}  // namespace seep::stack::testing
