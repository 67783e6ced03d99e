// The walk made last, so that the next one need not repeat what has not changed.
// Context: IN-HOOK. Used by one walk at a time; who owns it sees to that. Begins zeroed.
//
// Consecutive allocations of a thread share most of their callers. A step from a frame to its
// caller is a function of (ip, sp, rbp) at the frame, of the unwind tables, and of the two words it
// reads: the return address and the saved rbp. So when a walk comes to a state that the last one
// was in, and the tables are the same, comparing those two words takes the place of the step, and
// so on outward until a word differs. The words are those that the unwinder would read, in its
// order: no word is touched that it would not touch.
//
//   steps_:  ……… | inner … outer |        the last walk, ending at the last slot, outermost there
//   staged_: | fresh steps |              of the present walk, since it left the last one
//
// When the present walk meets the last one again, its fresh steps are put right before that place.
#pragma once

#include <cstdint>
#include <cstring>

#include "preload/stack/unwind_rule.h"

namespace seep::stack {

// What a walk was in at one frame, and how it went on.
struct WalkStep {
  FrameRegisters at;
  std::uint64_t bp_address;  // where the caller's rbp was read; 0: it is the frame's own
  std::uint64_t frame;       // Frame::frame
  std::uint32_t flags;       // Frame::flags
  bool own;                  // in the library itself
  bool outermost;            // it has no caller, as `at` alone tells
  bool repeatable;           // the caller follows from `at` and the two words
};

class LastWalk {
 public:
  // Starts a walk with unwind tables of this generation; forgets the last one if it was another.
  void begin(std::uint64_t generation) {
    if (generation_ != generation || begin_ == 0) {
      begin_ = kSlots;
      generation_ = generation;
    }
    cursor_ = begin_;
    inner_end_ = begin_;
    staged_count_ = 0;
  }

  // The step of the last walk at this very state, or null.
  const WalkStep* find(const FrameRegisters& at, std::uint32_t flags) {
    cursor_ = cursor_ < inner_end_ ? inner_end_ : cursor_;
    while (cursor_ < kSlots && steps_[cursor_].at.sp < at.sp) {
      ++cursor_;
    }
    if (cursor_ == kSlots || steps_[cursor_].at.sp != at.sp || steps_[cursor_].at.ip != at.ip ||
        steps_[cursor_].at.bp != at.bp || steps_[cursor_].flags != flags) {
      return nullptr;
    }
    join();
    return &steps_[cursor_];
  }

  // After find or repeat: the next step outward, if the words that lead there are as they were.
  const WalkStep* repeat() {
    const WalkStep& step = steps_[cursor_];
    take();
    if (!step.repeatable || inner_end_ == kSlots) {
      return nullptr;
    }
    const WalkStep& next = steps_[inner_end_];
    if (word_at(next.at.sp - 8) != next.at.ip ||
        (step.bp_address != 0 && word_at(step.bp_address) != next.at.bp)) {
      return nullptr;
    }
    cursor_ = inner_end_;
    return &next;
  }

  // The step that find or repeat gave last belongs to the present walk.
  void take() { inner_end_ = cursor_ + 1; }

  // A step that was not repeated.
  void stage(const WalkStep& step) {
    if (staged_count_ < kMostStaged) {
      staged_[staged_count_++] = step;
    } else {
      begin_ = kSlots;  // too long a way: nothing is remembered
      cursor_ = kSlots;
      inner_end_ = kSlots;
    }
  }
  // The last step that was staged or found led to a caller by reading these words, or to none.
  void set_outcome(bool repeatable, bool outermost, std::uint64_t bp_address) {
    if (staged_count_ == 0 && inner_end_ == begin_) {
      return;
    }
    WalkStep& step = staged_count_ != 0 ? staged_[staged_count_ - 1] : steps_[inner_end_ - 1];
    step.repeatable = repeatable;
    step.outermost = outermost;
    step.bp_address = bp_address;
  }

  // The walk has come to its end: at the outermost frame, or at one that has no known caller.
  void end() {
    cursor_ = staged_count_ != 0 ? kSlots : inner_end_;
    join();
  }
  // The walk is broken off. What the last one knew further out is kept: it is compared before it is
  // believed. `at_repeated`: broken off at a step that repeat() gave.
  void end_early(bool at_repeated) {
    if (at_repeated) {
      return;
    }
    set_outcome(false, false, 0);  // its caller is not the step that comes to stand next to it
    cursor_ = cursor_ < inner_end_ ? inner_end_ : cursor_;
    join();
  }
  // The walk went ways that cannot be repeated.
  void forget() { begin_ = 0; }

 private:
  static constexpr unsigned kSlots = 80;  // 64 frames, those of the library, and room
  static constexpr unsigned kMostStaged = 72;

  static std::uint64_t word_at(std::uint64_t address) {
    return *reinterpret_cast<const std::uint64_t*>(address);
  }

  // Puts the inner part [begin_, inner_end_) and the staged steps right before cursor_. Where there
  // is no room, the innermost ones are dropped.
  void join() {
    if (staged_count_ == 0 && inner_end_ == cursor_) {
      return;
    }
    const unsigned staged = staged_count_ < cursor_ ? staged_count_ : cursor_;
    const unsigned staged_begin = cursor_ - staged;
    const unsigned inner = inner_end_ - begin_;
    const unsigned kept = inner < staged_begin ? inner : staged_begin;
    // The inner part first: the staged steps may come to lie where it is now.
    std::memmove(steps_ + (staged_begin - kept), steps_ + (inner_end_ - kept),
                 kept * sizeof(WalkStep));
    std::memcpy(steps_ + staged_begin, staged_ + (staged_count_ - staged),
                staged * sizeof(WalkStep));
    begin_ = staged_begin - kept;
    inner_end_ = cursor_;
    staged_count_ = 0;
  }

  std::uint64_t generation_;
  unsigned begin_;      // the innermost step of the last walk; 0: there is none
  unsigned cursor_;     // steps before it are further in than the present frame
  unsigned inner_end_;  // [begin_, inner_end_) belongs to the present walk already
  unsigned staged_count_;
  WalkStep steps_[kSlots];
  WalkStep staged_[kMostStaged];
};

}  // namespace seep::stack
