// Coroutines of Boost.Context, whose switches are hand-written assembly: COUNT of them, each makes
// two blocks that stay in site_fiber, and takes an exception through itself.
// usage: boost_coroutines COUNT
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "samples/pace.h"

namespace {

namespace context = boost::context;

SAMPLE_FUNCTION void* site_fiber() {
  void* block = std::malloc(96);
  use(block);
  return block;
}

unsigned g_caught = 0;

context::fiber in_fiber(context::fiber&& back) {
  site_fiber();
  back = std::move(back).resume();
  try {
    throw std::runtime_error("within");
  } catch (const std::runtime_error&) {
    ++g_caught;
  }
  site_fiber();
  return std::move(back);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1;
  for (int i = 0; i < count; ++i) {
    context::fiber fiber(std::allocator_arg, context::protected_fixedsize_stack(32768), in_fiber);
    fiber = std::move(fiber).resume();
    fiber = std::move(fiber).resume();
  }
  // One that is destroyed half-way: its stack is unwound by force.
  {
    context::fiber fiber(in_fiber);
    fiber = std::move(fiber).resume();
  }
  std::printf("caught %u\n", g_caught);
}
