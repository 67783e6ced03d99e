// Stack capture: who called.
//
// You provide registers (or just call capture) and room for the frames; you get frames that name
// module and ELF address, innermost first, as libunwind would list them.
// Not for other threads' stacks, and not for code that changes a frame's layout behind its tables.
//
// Context: IN-HOOK, any thread, signal handlers too. Takes no lock, allocates nothing but module
// records, makes system calls only for what it meets for the first time. Less than 1.5 KB of stack.
// The tables behind it are global and never freed; a Stack belongs to the caller.
#pragma once

#include <cstdint>

#include "preload/stack/registers.h"

namespace seep::stack {

inline constexpr unsigned kMaxFrames = 64;

struct Frame {
  std::uint64_t frame;  // as format::NodeRecord::frame: module id << 48 | ELF address
  std::uint32_t flags;  // format::kExactPc, format::kHeuristic
};

struct Stack {
  unsigned depth;  // frames filled in
  bool cut;        // there are more frames than were asked for
  bool failed;     // the walk ended before the outermost frame
  Frame frames[kMaxFrames];
};

class LastWalk;

// Captures the stack of the caller. `max_depth` is 1 … kMaxFrames. `last` may be null; with it the
// result is the same and comes sooner (last_walk.h).
void capture(unsigned max_depth, Stack& out, LastWalk* last = nullptr);

// The same from registers as they are after the call that is frame 0: `entry.rip()` is its return
// address, `entry.rsp()` the stack pointer once it has returned. The stack must be the caller's
// own.
void capture_from(const Registers& entry, unsigned max_depth, Stack& out, LastWalk* last = nullptr);

// Whether frames of the module that holds this code are left out at the innermost end; true from
// the start. Tests switch it off, since there it is the program itself.
void set_skip_own_module(bool skip);

}  // namespace seep::stack
