// Where walks end: in the loop of an interpreter, whose own frames stand for the calls further out.
// Context: IN-HOOK; set_interpreter_loop in one thread at a time.
//
// The loop's frame is the last one of a stack, and always the same: which instruction of it runs
// says less than the line of the script. Code in no file, on a thread that runs a script, is code
// that the interpreter made of the script: it runs in the loop's frame and counts as the loop.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/stack/code_site.h"

namespace seep::stack {

// Read together with generation(): a walk made with the old values is not believed any more.
struct InterpreterLoop {
  std::atomic<std::uint64_t> begin{0};  // relaxed; 0 bytes: there is none
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<bool (*)()> runs_here{nullptr};  // whether the calling thread runs a script
};
[[gnu::visibility("hidden")]] extern constinit InterpreterLoop g_interpreter_loop;

// The code at [begin, begin + bytes) is the loop; 0 bytes: walks go on to the outermost frame.
// `runs_here` is asked in walks, on any thread; null: no thread runs code that is in no file.
void set_interpreter_loop(std::uint64_t begin, std::uint64_t bytes, bool (*runs_here)());

// Whether the caller that returns to `ip`, found at `site`, is the loop.
inline bool is_interpreter_loop(std::uint64_t ip, const Site& site) {
  const std::uint64_t bytes = g_interpreter_loop.bytes.load(std::memory_order_relaxed);
  if (bytes == 0) [[likely]] {
    return false;
  }
  if (ip - g_interpreter_loop.begin.load(std::memory_order_relaxed) < bytes) {
    return true;
  }
  const auto runs_here = g_interpreter_loop.runs_here.load(std::memory_order_relaxed);
  return site.load == nullptr && runs_here != nullptr && runs_here();
}

// What stands for it in a stack: its function, as Frame::frame. No frame's where there is no loop.
std::uint64_t interpreter_loop_frame();

}  // namespace seep::stack
