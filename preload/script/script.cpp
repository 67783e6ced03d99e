#include "preload/script/script.h"

#include "preload/stack/interpreter_loop.h"
#include "preload/stack/modules.h"

namespace seep::script {

constinit std::atomic<const Interpreter*> g_interpreter{nullptr};
constinit std::atomic<std::uint32_t> g_epoch{0};
constinit std::atomic<std::uint64_t> g_changes{0};

namespace {

// Release in pass_over, acquire in refusal.
constinit std::atomic<const char*> g_refusal{nullptr};

}  // namespace

bool set_interpreter(const Interpreter* interpreter, std::uint64_t loop_begin,
                     std::uint64_t loop_bytes) {
  const Interpreter* known = nullptr;
  if (!g_interpreter.compare_exchange_strong(known, interpreter, std::memory_order_acq_rel) &&
      known != interpreter) {
    pass_over("a second interpreter is in the process: its frames are not read");
    return false;
  }
  stack::set_interpreter_loop(loop_begin, loop_bytes, runs_here);
  return true;
}

void forget_interpreter() {
  g_interpreter.store(nullptr, std::memory_order_release);
  stack::set_interpreter_loop(0, 0, nullptr);
}

bool share_module(std::uint64_t code, const void* place) {
  const stack::Load* load = code == 0 ? nullptr : stack::find_place(code).load;
  const auto address = reinterpret_cast<std::uint64_t>(place);
  return load != nullptr && address >= load->image.begin && address < load->image.end;
}

void forget_interpreter_at(const void* place) {
  const std::uint64_t loop = stack::g_interpreter_loop.begin.load(std::memory_order_relaxed);
  if (interpreter() != nullptr && share_module(loop, place)) {
    forget_interpreter();
  }
}

void pass_over(const char* why) {
  g_refusal.store(why, std::memory_order_release);
}

void refuse(const char* why) {
  pass_over(why);
  forget_interpreter();
}

const char* refusal() {
  return g_refusal.load(std::memory_order_acquire);
}

}  // namespace seep::script
