#include "tests/unit/stack/oracle.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <algorithm>
#include <sstream>

#include "format/snapshot_format.h"
#include "preload/stack/modules.h"

namespace seep::stack::testing {
namespace {

struct OracleFrame {
  std::uint64_t pc;
  bool exact;
};

// The frames outside this function. Takes the context of its caller by inlining.
[[gnu::always_inline]] inline unsigned walk_with_libunwind(OracleFrame* frames) {
  unw_context_t context;
  unw_cursor_t cursor;
  unw_getcontext(&context);
  unw_init_local(&cursor, &context);
  unsigned count = 0;
  while (count < kMaxFrames && unw_step(&cursor) > 0) {
    unw_word_t pc = 0;
    unw_get_reg(&cursor, UNW_REG_IP, &pc);
    if (pc == 0) {
      break;
    }
    // In libunwind the frame that a signal interrupted is the signal frame.
    frames[count++] = {pc, unw_is_signal_frame(&cursor) > 0};
  }
  return count;
}

Frame frame_of(std::uint64_t pc, std::uint32_t flags) {
  const std::uint64_t inside = (flags & format::kExactPc) != 0 ? pc : pc - 1;
  const Load* load = find_place(inside).load;
  return {load == nullptr ? pc : pc + load->frame_base(), flags};
}

}  // namespace

std::string describe(const Frame& frame) {
  std::ostringstream text;
  const Module* module = module_at(static_cast<unsigned>(frame.frame >> format::kFrameModuleShift));
  const std::string path(module == nullptr ? "?" : module->path);
  text << path.substr(path.rfind('/') + 1) << "+0x" << std::hex
       << (frame.frame & format::kFrameOffsetMask);
  if ((frame.flags & format::kExactPc) != 0) {
    text << " interrupted";
  }
  return text.str();
}

std::string describe_pc(std::uint64_t pc, std::uint32_t flags) {
  return describe(frame_of(pc, flags));
}

BothStacks capture_both() {
  BothStacks both;
  OracleFrame expected[kMaxFrames];
  capture(kMaxFrames, both.stack);
  const unsigned count = walk_with_libunwind(expected);
  // Frame 0 of ours is this function, at another address than libunwind's.
  for (unsigned i = 1; i < both.stack.depth; ++i) {
    both.ours += describe(both.stack.frames[i]) + "\n";
  }
  for (unsigned i = 0; i < std::min(count, kMaxFrames - 1); ++i) {
    both.libunwind += describe_pc(expected[i].pc, expected[i].exact ? format::kExactPc : 0) + "\n";
  }
  return both;
}

int compare_in_handler() {
  Stack stack;
  OracleFrame expected[kMaxFrames];
  capture(kMaxFrames, stack);
  const unsigned count = walk_with_libunwind(expected);
  for (unsigned i = 0; i + 1 < stack.depth || i < count; ++i) {
    const std::uint32_t flags = i < count && expected[i].exact ? format::kExactPc : 0;
    if (i >= count || i + 1 >= stack.depth || stack.frames[i + 1].flags != flags ||
        stack.frames[i + 1].frame != frame_of(expected[i].pc, flags).frame) {
      return -1 - static_cast<int>(i);
    }
  }
  return static_cast<int>(count);
}

}  // namespace seep::stack::testing
