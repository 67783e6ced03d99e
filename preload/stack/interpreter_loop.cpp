#include "preload/stack/interpreter_loop.h"

#include "preload/stack/modules.h"

namespace seep::stack {

constinit InterpreterLoop g_interpreter_loop;

namespace {

constinit std::atomic<std::uint64_t> g_frame{kNoInterpreterLoop};  // relaxed, as the loop

}  // namespace

// No instruction of the loop, but a byte into it, as a return address is.
void set_interpreter_loop(std::uint64_t begin, std::uint64_t bytes, bool (*runs_here)()) {
  const Load* load = bytes == 0 ? nullptr : find_place(begin).load;
  const std::uint64_t base = load == nullptr ? 0 : load->frame_base();
  g_frame.store(bytes == 0 ? kNoInterpreterLoop : begin + 1 + base, std::memory_order_relaxed);
  g_interpreter_loop.base.store(base, std::memory_order_relaxed);
  g_interpreter_loop.runs_here.store(runs_here, std::memory_order_relaxed);
  g_interpreter_loop.begin.store(begin, std::memory_order_relaxed);
  g_interpreter_loop.bytes.store(bytes, std::memory_order_relaxed);
  g_generation.fetch_add(1, std::memory_order_release);
}

std::uint64_t interpreter_loop_frame() {
  return g_frame.load(std::memory_order_relaxed);
}

}  // namespace seep::stack
