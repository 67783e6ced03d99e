// Calls a function below an exact number of callers, on a stack of its own, where nobody's frames
// are above. The thread stays the same one, and so a program of one thread stays that. One call at
// a time in a thread.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <vector>

namespace seep::bench {

inline volatile int g_calls = 0;  // written after calls, so that none becomes a jump

template <typename Function>
[[gnu::noinline]] void descend(const Function& function, unsigned deeper) {
  if (deeper == 0) {
    function();
  } else {
    descend(function, deeper - 1);
  }
  g_calls = g_calls + 1;
}

// makecontext passes no pointers, and a context begins in the thread that switches to it.
template <typename Function>
inline thread_local const Function* t_function = nullptr;
inline thread_local unsigned t_deeper = 0;

template <typename Function>
void enter() {
  descend(*t_function<Function>, t_deeper);
  g_calls = g_calls + 1;
}

// __start_context, enter, descend
inline constexpr unsigned kLeastCallers = 3;

// Calls function() with `callers` (kLeastCallers or more) frames above it; what is inlined into the
// last of them counts as that one.
template <typename Function>
void call_below(unsigned callers, const Function& function) {
  constexpr std::size_t kStackBytes = std::size_t{256} << 10;
  ucontext_t here;
  ucontext_t there;
  std::vector<char> stack(kStackBytes);
  t_function<Function> = &function;
  t_deeper = callers - kLeastCallers;
  getcontext(&there);
  there.uc_stack.ss_sp = stack.data();
  there.uc_stack.ss_size = stack.size();
  there.uc_link = &here;
  makecontext(&there, enter<Function>, /*argc=*/0);
  swapcontext(&here, &there);
  t_function<Function> = nullptr;
}

}  // namespace seep::bench
