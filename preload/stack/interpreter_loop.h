// Where walks end: in the loop of an interpreter, whose own frames stand for the calls further out.
// Context: IN-HOOK; set_interpreter_loop in one thread at a time.
//
// The loop's frame is the last one of a stack, and always the same: which instruction of it runs
// says less than the line of the script. Code in no file, on a thread that runs a script, is code
// that the interpreter made of the script: it runs in the loop's frame and counts as the loop.
//
// Where the interpreter goes deep into itself (a compiler going down an expression, a reader of
// JSON) nearly every stack is another one, and says no more than the script's line does: where more
// than kMostOwnFrames frames of its own file follow each other, none of them is told.
//
//   hook <- extension <- interpreter <- interpreter <- loop      as it is
//   hook <- interpreter <- interpreter <- … <- loop              hook <- loop
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/stack/code_site.h"

namespace seep::stack {

// Read together with generation(): a walk made with the old values is not believed any more.
struct InterpreterLoop {
  std::atomic<std::uint64_t> begin{0};  // relaxed; 0 bytes: there is none
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> base{0};          // of the file it is in: Site::frame_base
  std::atomic<bool (*)()> runs_here{nullptr};  // whether the calling thread runs a script
};
[[gnu::visibility("hidden")]] extern constinit InterpreterLoop g_interpreter_loop;

// The code at [begin, begin + bytes) is the loop; 0 bytes: walks go on to the outermost frame.
// `runs_here` is asked in walks, on any thread; null: no thread runs code that is in no file.
void set_interpreter_loop(std::uint64_t begin, std::uint64_t bytes, bool (*runs_here)());

// Whether the calling thread runs a script.
inline bool runs_script() {
  const auto runs_here = g_interpreter_loop.runs_here.load(std::memory_order_relaxed);
  return runs_here != nullptr && runs_here();
}

// Whether the caller that returns to `ip`, found at `site`, is the loop.
inline bool is_interpreter_loop(std::uint64_t ip, const Site& site) {
  const std::uint64_t bytes = g_interpreter_loop.bytes.load(std::memory_order_relaxed);
  if (bytes == 0) [[likely]] {
    return false;
  }
  if (ip - g_interpreter_loop.begin.load(std::memory_order_relaxed) < bytes) {
    return true;
  }
  return site.load == nullptr && runs_script();
}

// Of one walk.
class InterpreterFrames {
 public:
  static constexpr unsigned kMostOwnFrames = 2;

  // Whether the walk ends at the caller that returns to `ip`, found at `site`. To be asked of each
  // in turn.
  bool end_at(std::uint64_t ip, const Site& site) {
    if (g_interpreter_loop.bytes.load(std::memory_order_relaxed) == 0) [[likely]] {
      return false;
    }
    if (is_interpreter_loop(ip, site)) {
      return true;
    }
    const std::uint64_t base = g_interpreter_loop.base.load(std::memory_order_relaxed);
    in_a_row_ = site.frame_base == base ? in_a_row_ + 1 : 0;
    const bool is_deep = in_a_row_ > kMostOwnFrames && runs_script();
    left_out_ = is_deep ? in_a_row_ - 1 : 0;
    return is_deep;
  }
  // How many of the last frames before that are not to be told.
  [[nodiscard]] unsigned left_out() const { return left_out_; }

 private:
  unsigned in_a_row_ = 0;
  unsigned left_out_ = 0;
};

// What stands for it in a stack: its function, as Frame::frame; kNoInterpreterLoop where there is
// none.
inline constexpr std::uint64_t kNoInterpreterLoop = UINT64_MAX;
std::uint64_t interpreter_loop_frame();

}  // namespace seep::stack
