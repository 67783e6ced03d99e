#include "preload/stack/capture.h"

#include <atomic>

#include "format/snapshot_format.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/cfi.h"
#include "preload/stack/code_site.h"
#include "preload/stack/cut.h"
#include "preload/stack/interpreter_loop.h"
#include "preload/stack/last_walk.h"
#include "preload/stack/modules.h"
#include "preload/stack/stack_reader.h"
#include "preload/stack/unwind_rule.h"

namespace seep::stack {
namespace {

// A frame by frame pointer is not farther away than this, bytes.
constexpr std::uint64_t kMaxHeuristicFrame = 1u << 20;

constinit std::atomic<bool> g_skip_own{true};  // relaxed: set by tests before they capture
// The load that this code lies in. Relaxed: the pointer is the same whoever finds it, and loads are
// published by find_place.
constinit std::atomic<const Load*> g_own_load{nullptr};

[[gnu::cold, gnu::noinline]] const Load* find_own_load() {
  const auto here = reinterpret_cast<std::uint64_t>(&capture_from);
  const Load* load = find_place(here).load;
  g_own_load.store(load, std::memory_order_relaxed);
  return load;
}

// The load whose innermost frames are left out; null for none.
const Load* load_to_skip() {
  if (!g_skip_own.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  const Load* load = g_own_load.load(std::memory_order_relaxed);
  return load != nullptr ? load : find_own_load();
}

// Appends frames to a Stack.
class Frames {
 public:
  Frames(unsigned max_depth, Stack& out)
      : out_(&out), max_depth_(max_depth), skipped_(load_to_skip()) {
    out.depth = 0;
    out.cut = false;
    out.failed = false;
    out.in_loop = false;
  }

  // False when no more frames are wanted: it is beyond the depth that was asked for, or the last.
  bool add(std::uint64_t frame, std::uint32_t flags, bool own) {
    if (skipped_ != nullptr) {
      if (own) {
        return true;
      }
      skipped_ = nullptr;
    }
    if (out_->depth == max_depth_) {
      out_->cut = true;
      return false;
    }
    out_->frames[out_->depth++] = {frame, flags};
    return true;
  }
  bool add(std::uint64_t pc, std::uint64_t /*sp*/, const Site& site, std::uint32_t flags) {
    if (interpreter_.end_at(pc, site)) {
      out_->depth -= interpreter_.left_out();
      out_->in_loop = add(interpreter_loop_frame(), 0, false);
      return false;
    }
    return add(pc + site.frame_base, flags, site.load == skipped_);
  }

 private:
  Stack* out_;
  unsigned max_depth_;
  const Load* skipped_;
  InterpreterFrames interpreter_;
};

// Looks for a place in the frames of our own module: see find_own_frame.
class OwnFrames {
 public:
  OwnFrames(std::uint64_t address, std::uint64_t hook_end, unsigned most)
      : address_(address),
        hook_end_(hook_end),
        left_(most),
        own_load_(find_own_load()),
        hook_load_(load_to_skip()) {}

  // False when no more frames are asked for. A frame ends where its caller's begins.
  bool add(std::uint64_t /*pc*/, std::uint64_t sp, const Site& site, std::uint32_t /*flags*/) {
    found_ = is_own_ && sp_ <= address_ && address_ < sp;
    in_hook_ = in_hook_ && is_of_hook(sp, site);
    is_own_ = !in_hook_ && site.load == own_load_;
    sp_ = sp;
    return !found_ && left_-- != 0;
  }
  [[nodiscard]] bool found() const { return found_; }

 private:
  [[nodiscard]] bool is_of_hook(std::uint64_t sp, const Site& site) const {
    return hook_end_ == kHookEndUnknown ? hook_load_ != nullptr && site.load == hook_load_
                                        : sp < hook_end_;
  }

  std::uint64_t address_;
  std::uint64_t hook_end_;
  unsigned left_;
  const Load* own_load_;
  const Load* hook_load_;
  bool in_hook_ = true;   // only the hook's frames were met so far
  std::uint64_t sp_ = 0;  // of the frame before
  bool is_own_ = false;   // it
  bool found_ = false;
};

bool is_code(std::uint64_t pc) {
  return find_place(pc).executable;
}

// One step where no tables help: rbp points at the caller's rbp, below the return address. Believed
// only if the frame is aligned, near, and returns into code. By the ABI a zero rbp marks the
// outermost frame: the loader's entry, from which initializers are called, is such a one.
[[gnu::cold, gnu::noinline]] StepResult step_by_frame_pointer(FrameRegisters& regs,
                                                              StackReader& reader) {
  count(format::CaptureCount::heuristic_steps);
  if (regs.bp == 0) {
    return StepResult::kOutermost;
  }
  reader.verify();
  std::uint64_t bp = 0;
  std::uint64_t ip = 0;
  if (regs.bp % 8 != 0 || regs.bp - regs.sp >= kMaxHeuristicFrame || !reader.read(regs.bp, bp) ||
      !reader.read(regs.bp + 8, ip) || !is_code(ip - 1)) {
    return StepResult::kFailed;
  }
  regs = {ip, regs.bp + 16, bp};
  return StepResult::kStepped;
}

enum class WalkResult : std::uint8_t { kDone, kFailed, kNeedsAllRegisters };

// How a walk ends by a step that did not come to a caller.
WalkResult ended_by(StepResult result) {
  return result == StepResult::kOutermost ? WalkResult::kDone : WalkResult::kFailed;
}

// One step by a compact rule. False when a word cannot be read or makes no sense.
inline bool step_compactly(CompactRule rule, FrameRegisters& regs, StackReader& reader) {
  reader.move_to(regs.sp);
  return step(rule, regs, [&reader](std::uint64_t address, std::uint64_t& word) {
    return reader.read(address, word);
  });
}

// One step where no compact rule helps; kStepped with `regs` at the caller, or the end.
StepResult step_otherwise(CompactRule rule, FrameRegisters& regs, StackReader& reader) {
  return rule.kind == RuleKind::kOutermost ? StepResult::kOutermost
                                           : step_by_frame_pointer(regs, reader);
}

// Follows rules that need rsp and rbp only.
template <typename Visitor>
WalkResult walk_compact(const Registers& entry, Visitor& frames) {
  StackReader reader;
  IntactLoads intact;
  FrameRegisters regs{entry.rip(), entry.rsp(), entry.rbp()};
  std::uint32_t flags = 0;
  while (regs.ip != 0) {
    const Site site = find_site(regs.ip - 1, intact);
    if (!frames.add(regs.ip, regs.sp, site, flags)) {
      return WalkResult::kDone;
    }
    flags = 0;
    if (site.rule.kind < RuleKind::kOutermost) [[likely]] {
      if (!step_compactly(site.rule, regs, reader)) {
        return WalkResult::kFailed;
      }
    } else if (site.rule.kind == RuleKind::kGeneral) {
      return WalkResult::kNeedsAllRegisters;
    } else {
      const StepResult result = step_otherwise(site.rule, regs, reader);
      if (result != StepResult::kStepped) {
        return ended_by(result);
      }
      flags = format::kHeuristic;
    }
  }
  return WalkResult::kDone;
}

// A walk that remembers its steps.
class Walker {
 public:
  Walker(const FrameRegisters& entry, unsigned max_depth, LastWalk& last)
      : entry_(entry), regs_(entry), max_depth_(max_depth), last_(&last) {
    // Where it ends depends on how many frames came before: no part of another walk stands for it.
    if (interpreter_loop_frame() != kNoInterpreterLoop) {
      last.forget();
    }
    last.begin(generation());
  }

  Walk run() {
    while (true) {
      Site site;
      if (last_->find(regs_, flags_)) {
        const LastWalk::Repeat repeat = last_->repeat(max_depth_, regs_);
        if (repeat != LastWalk::Repeat::kLeft) {
          return end(repeat == LastWalk::Repeat::kCut);
        }
        site = find_site(regs_.ip - 1, intact_);
      } else if (regs_.ip == 0) {
        last_->stage({{0, regs_.sp, 0}, 0, 0, 0, 0, false, false, true, false});
        return end(false);
      } else {
        ++fresh_frames_;
        site = find_site(regs_.ip - 1, intact_);
        if (interpreter_.end_at(regs_.ip, site)) {
          return end_in_loop();
        }
        if (!stage(site)) {
          return forget();
        }
        if (last_->depth() > max_depth_) {
          return end(true);
        }
      }
      switch (step_from(site)) {
        case StepResult::kStepped:
          break;
        case StepResult::kOutermost:
          last_->set_outermost();
          return end(false);
        case StepResult::kFailed:
          return forget();
      }
    }
  }

 private:
  bool stage(const Site& site) {
    const bool uses_bp =
        site.rule.kind != RuleKind::kFromRsp && site.rule.kind != RuleKind::kOutermost;
    return last_->stage({regs_, 0, regs_.ip + site.frame_base, 0,
                         static_cast<std::uint16_t>(flags_), uses_bp, false, false, false});
  }

  // kFailed also where a step needs more registers than there are.
  StepResult step_from(const Site& site) {
    flags_ = 0;
    const CompactRule rule = site.rule;
    if (rule.kind < RuleKind::kOutermost) [[likely]] {
      const std::uint64_t sp = regs_.sp;
      if (!step_compactly(rule, regs_, reader_)) {
        return StepResult::kFailed;
      }
      const auto slot = static_cast<std::uint64_t>(std::int64_t{rule.rbp_slot} * 8);
      const std::uint64_t bp_address = rule.rbp_slot == 0 ? 0 : regs_.sp + slot;
      // What is repeated is read directly: only where that was done here, too.
      const bool near = regs_.sp - sp < StackReader::kNearBytes &&
                        (bp_address == 0 || bp_address - sp < StackReader::kNearBytes);
      last_->set_caller(near && !reader_.verifies() && rule.kind != RuleKind::kFromWordAtRbp,
                        bp_address);
      return StepResult::kStepped;
    }
    if (rule.kind == RuleKind::kGeneral) {
      return StepResult::kFailed;
    }
    const StepResult result = step_otherwise(rule, regs_, reader_);
    if (result == StepResult::kStepped) {
      last_->set_caller(false, 0);
      flags_ = format::kHeuristic;
    }
    return result;
  }

  Walk end(bool cut) {
    last_->end(entry_, cut);
    const bool in_loop = !cut && last_->frames() != 0 &&
                         last_->first()[last_->frames() - 1].frame == interpreter_loop_frame();
    return {cut ? Walk::End::kCut : Walk::End::kOutermost, in_loop, fresh_frames_,
            interpreter_.left_out()};
  }
  // The registers tell that it is the loop: no word further out is read.
  Walk end_in_loop() {
    if (!last_->stage({regs_, 0, interpreter_loop_frame(), 0, static_cast<std::uint16_t>(flags_),
                       false, false, true, false})) {
      return forget();
    }
    return end(last_->depth() > max_depth_);
  }
  Walk forget() {
    last_->forget();
    return {Walk::End::kNone, false, fresh_frames_, 0};
  }

  StackReader reader_;
  IntactLoads intact_;
  FrameRegisters entry_;
  FrameRegisters regs_;
  std::uint32_t flags_ = 0;
  unsigned max_depth_;
  unsigned fresh_frames_ = 0;
  InterpreterFrames interpreter_;
  LastWalk* last_;
};

StepResult step_fully(const Rule& rule, Registers& regs, StackReader& reader) {
  const WordReader read_word{[](void* context, std::uint64_t address, std::uint64_t& word) {
                               return static_cast<StackReader*>(context)->read(address, word);
                             },
                             &reader};
  return step(rule, regs, read_word);
}

StepResult step_fully_by_frame_pointer(Registers& regs, StackReader& reader) {
  FrameRegisters frame{regs.rip(), regs.rsp(), regs.rbp()};
  const StepResult result = step_by_frame_pointer(frame, reader);
  regs.value[kRip] = frame.ip;
  regs.value[kRsp] = frame.sp;
  regs.value[kRbp] = frame.bp;
  return result;
}

// Follows any rule, and restores all registers: through signal handlers, PLT stubs, the loader's
// trampolines. Reads the tables for each frame.
template <typename Visitor>
[[gnu::cold, gnu::noinline]] WalkResult walk_fully(const Registers& entry, Visitor& frames) {
  count(format::CaptureCount::full_walks);
  StackReader reader;
  reader.verify();
  IntactLoads intact;
  Registers regs = entry;
  std::uint32_t flags = 0;
  while (regs.rip() != 0) {
    const std::uint64_t pc = regs.rip() - ((flags & format::kExactPc) == 0 ? 1 : 0);
    const Site site = find_site(pc, intact);
    // A signal may come where tables are wrong: libc's say nothing of the stacks that swapcontext
    // and setcontext leave. What is read as a return address there is none.
    if (site.load == nullptr && !is_code(pc)) {
      return WalkResult::kFailed;
    }
    if (!frames.add(regs.rip(), regs.rsp(), site, flags) ||
        site.rule.kind == RuleKind::kOutermost) {
      return WalkResult::kDone;
    }
    Rule rule;
    StepResult result;
    if (site.rule.kind != RuleKind::kNoTables && intact.holds(*site.load) &&
        find_rule(site.load->image.tables, pc, rule)) {
      result = step_fully(rule, regs, reader);
      flags = rule.signal_frame ? format::kExactPc : 0;
    } else {
      result = step_fully_by_frame_pointer(regs, reader);
      flags = format::kHeuristic;
    }
    if (result != StepResult::kStepped) {
      return ended_by(result);
    }
  }
  return WalkResult::kDone;
}

}  // namespace

void set_skip_own_module(bool skip) {
  g_skip_own.store(skip, std::memory_order_relaxed);
}

Walk walk(const FrameRegisters& entry, unsigned max_depth, LastWalk& last) {
  return Walker(entry, max_depth < kMaxFrames ? max_depth : kMaxFrames, last).run();
}

[[gnu::cold, gnu::noinline]] FrameState find_own_frame(std::uint64_t address,
                                                       std::uint64_t hook_end, unsigned most) {
  const Registers here = registers_here();
  OwnFrames frames(address, hook_end, most);
  WalkResult result = walk_compact(here, frames);
  if (result == WalkResult::kNeedsAllRegisters) {
    frames = OwnFrames(address, hook_end, most);
    result = walk_fully(here, frames);
  }
  if (frames.found()) {
    return FrameState::kLive;
  }
  return result == WalkResult::kFailed ? FrameState::kUnknown : FrameState::kGone;
}

void capture_from(const Registers& entry, unsigned max_depth, Stack& out) {
  const unsigned depth = max_depth < kMaxFrames ? max_depth : kMaxFrames;
  Frames frames(depth, out);
  WalkResult result = walk_compact(entry, frames);
  if (result == WalkResult::kNeedsAllRegisters) {
    frames = Frames(depth, out);
    result = walk_fully(entry, frames);
  }
  out.failed = result == WalkResult::kFailed;
  if (out.cut) {
    out.depth = frames_kept_of_cut(out.depth, [&out](unsigned i) { return out.frames[i].frame; });
  }
}

}  // namespace seep::stack

// A name without C++ mangling, for the assembly below.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void seep_stack_capture_from(
    const seep::stack::Registers* entry, unsigned max_depth, seep::stack::Stack* out) {
  seep::stack::capture_from(*entry, max_depth, *out);
}

// Stores the registers as they will be once this function has returned, in the order of DWARF.
// r8 … r11 and the argument registers are the caller's to save and hold nothing that a walk needs;
// their slots are left as they are, but cleared.
[[gnu::naked]] void seep::stack::capture(unsigned, Stack&) {
  __asm__(
      "subq $136, %rsp\n\t"
      ".cfi_adjust_cfa_offset 136\n\t"
      "xorl %eax, %eax\n\t"
      "movq %rax, 0(%rsp)\n\t"
      "movq %rax, 8(%rsp)\n\t"
      "movq %rax, 16(%rsp)\n\t"
      "movq %rbx, 24(%rsp)\n\t"
      "movq %rax, 32(%rsp)\n\t"
      "movq %rax, 40(%rsp)\n\t"
      "movq %rbp, 48(%rsp)\n\t"
      "leaq 144(%rsp), %rcx\n\t"
      "movq %rcx, 56(%rsp)\n\t"
      "movq %rax, 64(%rsp)\n\t"
      "movq %rax, 72(%rsp)\n\t"
      "movq %rax, 80(%rsp)\n\t"
      "movq %rax, 88(%rsp)\n\t"
      "movq %r12, 96(%rsp)\n\t"
      "movq %r13, 104(%rsp)\n\t"
      "movq %r14, 112(%rsp)\n\t"
      "movq %r15, 120(%rsp)\n\t"
      "movq 136(%rsp), %rcx\n\t"
      "movq %rcx, 128(%rsp)\n\t"
      "movq %rsi, %rdx\n\t"
      "movl %edi, %esi\n\t"
      "movq %rsp, %rdi\n\t"
      "call seep_stack_capture_from\n\t"
      "addq $136, %rsp\n\t"
      ".cfi_adjust_cfa_offset -136\n\t"
      "ret");
}
