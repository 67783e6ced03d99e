// Who called a hook. Context: IN-HOOK.
#pragma once

#include <cstdint>

#include "preload/stack/unwind_rule.h"

namespace seep::recorder {

// The registers of a hook's caller, as they are when the hook has returned.
using Caller = stack::FrameRegisters;

// To be called by the hook itself, which keeps a frame pointer because of it:
//
//   | return address |  <- frame + 8; the caller's stack pointer is above it
//   | caller's rbp   |  <- frame
[[gnu::always_inline]] inline Caller caller_of_hook() {
  const auto* frame = static_cast<const std::uint64_t*>(__builtin_frame_address(0));
  return {reinterpret_cast<std::uint64_t>(__builtin_return_address(0)),
          reinterpret_cast<std::uint64_t>(frame + 2), frame[0]};
}

}  // namespace seep::recorder
