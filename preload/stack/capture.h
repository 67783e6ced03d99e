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
#include "preload/stack/unwind_rule.h"

namespace seep::stack {

inline constexpr unsigned kMaxFrames = 64;

struct Frame {
  std::uint64_t frame;  // as format::NodeRecord::frame: module id << 48 | ELF address
  std::uint32_t flags;  // format::kExactPc, format::kHeuristic
};

struct Stack {
  unsigned depth;  // frames filled in
  bool cut;        // there are more frames than were asked for; cut.h says how many are kept
  bool failed;     // the walk ended before the outermost frame
  bool in_loop;    // it ended in an interpreter's loop, which is the last frame
  Frame frames[kMaxFrames];
};

// Captures the stack of the caller. `max_depth` is 1 … kMaxFrames.
void capture(unsigned max_depth, Stack& out);

// The same from registers as they are after the call that is frame 0: `entry.rip()` is its return
// address, `entry.rsp()` the stack pointer once it has returned. The stack must be the caller's
// own.
void capture_from(const Registers& entry, unsigned max_depth, Stack& out);

class LastWalk;

// How a walk ended, whose steps are in a LastWalk then.
struct Walk {
  enum class End : std::uint8_t {
    kOutermost,
    kCut,   // there are more frames than were asked for
    kNone,  // it needs all registers, or failed: capture() tells
  };
  End end;
  bool in_loop;           // it ended in an interpreter's loop (interpreter_loop.h)
  unsigned fresh_frames;  // that were not taken over from the last walk
  unsigned left_out;      // that many frames before the loop are not told: the interpreter's own
};

// The stack from `entry` outward, frame 0 being the function that entry.ip lies in. The frames are
// those that capture() gives, and come sooner: what the last walk met is compared instead of
// unwound (last_walk.h).
Walk walk(const FrameRegisters& entry, unsigned max_depth, LastWalk& last);

// Where a place on a stack is, seen from the code that runs now.
enum class FrameState : std::uint8_t {
  kLive,     // in a frame of this library that a call is to return to
  kGone,     // in no such frame: not among the `most` innermost ones, or there are no more
  kUnknown,  // the walk failed
};

// Looks for `address` in the frames of the module that holds this code. Those of the hook that runs
// now are left out: they end at `hook_end`, the stack pointer of its caller; where that is not
// known, all innermost frames of the module are left out, as in capture. Nothing is read at
// `address`: the stack may be gone.
inline constexpr std::uint64_t kHookEndUnknown = 0;
FrameState find_own_frame(std::uint64_t address, std::uint64_t hook_end, unsigned most);

// Whether capture leaves out frames of the module that holds this code at the innermost end; true
// from the start. Tests switch it off, since there it is the program itself.
void set_skip_own_module(bool skip);

}  // namespace seep::stack
