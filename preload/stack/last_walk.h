// The walk made last, so that the next one need not repeat what has not changed.
// Context: IN-HOOK. Used by one walk at a time; who owns it sees to that. Begins zeroed.
//
// Consecutive allocations of a thread share most of their callers. A step from a frame to its
// caller is a function of (ip, sp, rbp) at the frame, of the unwind tables, and of the words it
// reads: the return address and, where it was saved, rbp. So when a walk comes to a state that the
// last one was in, and the tables are the same, comparing those words takes the place of the step,
// and so on outward until a word differs. The words are those that the unwinder would read, in its
// order: no word is touched that it would not touch.
//
// Most code uses rbp as it likes, and a walk restores it for nothing: its value matters only where
// a frame further out finds its caller by it before another one was restored (needs_bp). Only there
// it is compared.
//
//   steps_:  ……… | inner … outer |        the last walk, ending at the last slot, outermost there
//   staged_: | fresh steps |              of the present walk, since it left the last one
//
// When the present walk meets the last one again, its fresh steps are put right before that place.
#pragma once

#include <cstdint>
#include <cstring>

#include "preload/stack/cut.h"
#include "preload/stack/unwind_rule.h"

namespace seep::stack {

// What a walk was in at one frame, and how it went on.
struct WalkStep {
  FrameRegisters at;         // ip 0: the end, found in the word where a return address would be
  std::uint64_t bp_address;  // where the caller's rbp was read; 0: it is the frame's own
  std::uint64_t frame;       // Frame::frame
  std::uint32_t node;   // of the stack from here outward, as the owner numbers them; 0: unknown
  std::uint16_t flags;  // Frame::flags
  bool uses_bp;         // the caller was found by rbp
  bool needs_bp : 1;    // here or further out the walk depends on at.bp
  bool outermost : 1;   // it has no caller, as `at` alone tells
  bool repeatable : 1;  // the caller follows from `at` and the words
};
static_assert(sizeof(WalkStep) == 48);

class LastWalk {
 public:
  enum class Repeat : std::uint8_t {
    kLeft,       // a word differs, or the step cannot be repeated: go on from the registers given
    kOutermost,  // the end is reached
    kCut         // one step more than the frames asked for belongs to the walk
  };

  // Starts a walk with unwind tables of this generation; forgets the last one if it was another.
  void begin(std::uint64_t generation) {
    if (generation_ != generation || begin_ == 0) {
      begin_ = kSlots;
      generation_ = generation;
      root_end_ = 0;
    }
    cursor_ = begin_;
    inner_end_ = begin_;
    dirty_end_ = begin_;
    staged_count_ = 0;
  }

  // Whether the last walk was in this very state; repeat() may follow.
  bool find(const FrameRegisters& at, std::uint32_t flags) {
    cursor_ = cursor_ < inner_end_ ? inner_end_ : cursor_;
    while (cursor_ < kSlots && steps_[cursor_].at.sp < at.sp) {
      ++cursor_;
    }
    if (cursor_ == kSlots || steps_[cursor_].at.sp != at.sp || steps_[cursor_].at.ip != at.ip ||
        (steps_[cursor_].needs_bp && steps_[cursor_].at.bp != at.bp) ||
        steps_[cursor_].flags != flags) {
      return false;
    }
    join();
    steps_[cursor_].at.bp = at.bp;
    return true;
  }

  // After find: takes over the step found and those outward of it while their words are as they
  // were. `regs` becomes the state of the last step taken over.
  Repeat repeat(unsigned max_depth, FrameRegisters& regs) {
    std::uint64_t bp_from = 0;  // where the present rbp was saved; 0: it is that of the step found
    while (true) {
      const WalkStep& step = steps_[cursor_];
      inner_end_ = cursor_ + 1;
      if (step.at.ip != 0 && depth() > max_depth) {
        return Repeat::kCut;
      }
      if (step.outermost) {
        return Repeat::kOutermost;
      }
      const WalkStep& next = steps_[cursor_ + 1];
      if (!step.repeatable || inner_end_ == kSlots || word_at(next.at.sp - 8) != next.at.ip ||
          (next.needs_bp && step.bp_address != 0 && word_at(step.bp_address) != next.at.bp)) {
        regs = {step.at.ip, step.at.sp, bp_from != 0 ? word_at(bp_from) : regs.bp};
        return Repeat::kLeft;
      }
      bp_from = step.bp_address != 0 ? step.bp_address : bp_from;
      ++cursor_;
    }
  }

  // A step that was not repeated. False when the way is too long to be remembered.
  bool stage(const WalkStep& step) {
    if (staged_count_ == kMostStaged) {
      return false;
    }
    staged_[staged_count_++] = step;
    return true;
  }
  // The last step that was staged or repeated led to its caller by reading these words.
  void set_caller(bool repeatable, std::uint64_t bp_address) {
    WalkStep& step = last_step();
    if (staged_count_ == 0 && (step.repeatable != repeatable || step.bp_address != bp_address)) {
      dirty_end_ = inner_end_;  // its caller was not known, and may depend on rbp
    }
    step.repeatable = repeatable;
    step.bp_address = bp_address;
  }
  void set_outermost() { last_step().outermost = true; }

  // Steps of the present walk so far.
  [[nodiscard]] unsigned depth() const { return inner_end_ - begin_ + staged_count_; }

  // The walk has come to its end, or is cut: then what the last one knew further out is kept, as
  // all is compared before it is believed. `entry` is where it began.
  void end(const FrameRegisters& entry, bool cut) {
    if (cut && staged_count_ != 0) {
      last_step().repeatable = false;  // its caller is not the step that comes to stand next to it
    }
    if (staged_count_ != 0) {
      cursor_ = !cut ? kSlots : cursor_ < inner_end_ ? inner_end_ : cursor_;
      join();
    }
    settle(entry.bp);
    const unsigned frames = count() - (cut || steps_[inner_end_ - 1].at.ip == 0 ? 1 : 0);
    root_at(begin_ + (cut ? frames_kept_of_cut(
                                frames, [this](unsigned i) { return steps_[begin_ + i].frame; })
                          : frames));
  }
  // The walk went ways that cannot be remembered.
  void forget() {
    begin_ = 0;
    inner_end_ = 0;
  }

  // After end(): the steps that the walk read, innermost first. The last one is no frame if its ip
  // is 0.
  [[nodiscard]] WalkStep* first() { return steps_ + begin_; }
  [[nodiscard]] const WalkStep* first() const { return steps_ + begin_; }
  [[nodiscard]] unsigned count() const { return inner_end_ - begin_; }
  // After end(): how many of them are the frames of the stack.
  [[nodiscard]] unsigned frames() const { return root_end_ - begin_; }

 private:
  static constexpr unsigned kSlots = 136;      // two deep walks
  static constexpr unsigned kMostStaged = 68;  // 64 frames, the one that is cut off, the end

  static std::uint64_t word_at(std::uint64_t address) {
    return *reinterpret_cast<const std::uint64_t*>(address);
  }

  WalkStep& last_step() {
    return staged_count_ != 0 ? staged_[staged_count_ - 1] : steps_[inner_end_ - 1];
  }

  // Puts the inner part [begin_, inner_end_) and the staged steps right before cursor_. Where there
  // is no room, the outermost steps of the last walk are dropped: this one cannot come so far. It
  // then begins at slot 0, which the next walk takes for none: a recursion on its way down is
  // walked anew once in a while.
  void join() {
    if (staged_count_ == 0 && inner_end_ == cursor_) {
      return;
    }
    const unsigned inner = inner_end_ - begin_;
    if (inner + staged_count_ > cursor_) {
      const unsigned to = inner + staged_count_ < kSlots ? inner + staged_count_ : kSlots;
      std::memmove(steps_ + to, steps_ + cursor_, (kSlots - to) * sizeof(WalkStep));
      cursor_ = to;
      root_end_ = 0;
    }
    const unsigned staged_begin = cursor_ - staged_count_;
    // The inner part first: the staged steps may come to lie where it is now.
    std::memmove(steps_ + (staged_begin - inner), steps_ + begin_, inner * sizeof(WalkStep));
    std::memcpy(steps_ + staged_begin, staged_, staged_count_ * sizeof(WalkStep));
    begin_ = staged_begin - inner;
    inner_end_ = cursor_;
    dirty_end_ = cursor_;
    staged_count_ = 0;
  }

  // Nodes are those of stacks that end where they ended: if this one ends elsewhere none is known.
  void root_at(unsigned end) {
    for (unsigned i = begin_; root_end_ != end && i < end; ++i) {
      steps_[i].node = 0;
    }
    root_end_ = end;
  }

  // Steps that have new callers: what rbp really was there, whether it matters, and that their
  // nodes are unknown.
  void settle(std::uint64_t bp) {
    for (unsigned i = begin_; i < dirty_end_; ++i) {
      WalkStep& step = steps_[i];
      step.at.bp = bp;
      step.node = 0;
      if (step.bp_address != 0) {
        bp = word_at(step.bp_address);
      } else if (!step.repeatable && i + 1 < kSlots) {
        bp = steps_[i + 1].at.bp;
      }
    }
    bool needed = dirty_end_ < inner_end_ && steps_[dirty_end_].needs_bp;
    for (unsigned i = dirty_end_; i-- > begin_;) {
      WalkStep& step = steps_[i];
      needed = step.uses_bp || (needed && step.bp_address == 0);
      step.needs_bp = needed;
    }
  }

  // Staged steps are used from the first on, the others up to the last: what comes next to those is
  // in the same page of memory.
  WalkStep staged_[kMostStaged];
  WalkStep steps_[kSlots];
  std::uint64_t generation_;
  unsigned begin_;      // the innermost step of the last walk; 0: there is none
  unsigned cursor_;     // steps before it are further in than the present frame
  unsigned inner_end_;  // [begin_, inner_end_) belongs to the present walk already
  unsigned dirty_end_;  // steps in [begin_, dirty_end_) may have new callers
  unsigned root_end_;   // nodes are of stacks whose outermost frame is the step before it
  unsigned staged_count_;
};

}  // namespace seep::stack
