#include "preload/script/script.h"

#include "preload/stack/interpreter_loop.h"
#include "preload/stack/modules.h"

namespace seep::script {

constinit std::atomic<const Interpreter*> g_interpreter{nullptr};
constinit std::atomic<std::uint32_t> g_epoch{0};

namespace {

constinit std::atomic<const char*> g_refusal{nullptr};  // release in refuse, acquire in refusal

}  // namespace

void set_interpreter(const Interpreter* interpreter) {
  g_interpreter.store(interpreter, std::memory_order_release);
}

bool share_module(std::uint64_t code, const void* place) {
  const stack::Load* load = code == 0 ? nullptr : stack::find_place(code).load;
  const auto address = reinterpret_cast<std::uint64_t>(place);
  return load != nullptr && address >= load->image.begin && address < load->image.end;
}

void forget_interpreter_at(const void* place) {
  const std::uint64_t loop = stack::g_interpreter_loop.begin.load(std::memory_order_relaxed);
  if (interpreter() != nullptr && share_module(loop, place)) {
    set_interpreter(nullptr);
    stack::set_interpreter_loop(0, 0);
  }
}

void refuse(const char* why) {
  g_refusal.store(why, std::memory_order_release);
  set_interpreter(nullptr);
  stack::set_interpreter_loop(0, 0);
}

const char* refusal() {
  return g_refusal.load(std::memory_order_acquire);
}

}  // namespace seep::script
