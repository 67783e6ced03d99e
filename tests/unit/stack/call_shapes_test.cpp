// Stacks of code as compilers write it, against libunwind.
#include <alloca.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "format/snapshot_format.h"
#include "preload/stack/capture.h"
#include "preload/stack/modules.h"
#include "tests/unit/stack/oracle.h"

namespace seep::stack::testing {
namespace {

volatile int g_sink = 0;  // keeps calls from becoming tail calls and values from being dropped

// Every shape ends here.
[[gnu::noinline]] void expect_same_as_libunwind(unsigned least_depth = 4) {
  const BothStacks both = capture_both();
  EXPECT_EQ(both.ours, both.libunwind);
  EXPECT_FALSE(both.stack.failed);
  EXPECT_FALSE(both.stack.cut);
  EXPECT_GE(both.stack.depth, least_depth);
  g_sink = g_sink + 1;
}

class CallShapes : public ::testing::Test {
 protected:
  void SetUp() override { set_skip_own_module(false); }
};

[[gnu::noinline]] void recurse(int depth, const std::function<void()>& at_bottom) {
  if (depth == 0) {
    at_bottom();
  } else {
    recurse(depth - 1, at_bottom);
  }
  g_sink = g_sink + 1;
}

TEST_F(CallShapes, PlainCall) {
  expect_same_as_libunwind();
}

TEST_F(CallShapes, Recursion) {
  recurse(20, [] { expect_same_as_libunwind(20); });
}

TEST_F(CallShapes, ManyRegistersSaved) {
  struct Local {
    [[gnu::noinline]] static int run(int a, int b, int c, int d, int e, int f) {
      int x = a * b + c;
      int y = d * e + f;
      int z = a + f;
      int w = b ^ e;
      for (int i = 0; i < 3; ++i) {
        expect_same_as_libunwind();
        x += y;
        y ^= z;
        z += w;
        w -= x;
      }
      return x + y + z + w + a + b + c + d + e + f;
    }
  };
  g_sink = Local::run(1, 2, 3, 4, 5, 6);
}

TEST_F(CallShapes, DynamicallySizedLocals) {
  struct Local {
    [[gnu::noinline]] static void run(std::size_t size) {
      auto* room = static_cast<volatile char*>(alloca(size));
      room[size - 1] = 1;
      expect_same_as_libunwind();
      room[0] = room[size - 1];
    }
  };
  for (const std::size_t size : {1U, 100U, 5000U, 100000U}) {
    Local::run(size);
  }
}

TEST_F(CallShapes, FrameOfMoreThanAMegabyte) {
  struct Local {
    [[gnu::noinline]] static void run() {
      volatile char room[3 << 20];
      room[0] = 1;
      expect_same_as_libunwind();
      room[1] = room[0];
    }
  };
  Local::run();
}

TEST_F(CallShapes, RealignedStack) {
  struct Local {
    [[gnu::noinline]] static void run(std::size_t size) {
      alignas(64) volatile char aligned[64];
      aligned[0] = 1;
      expect_same_as_libunwind();
      aligned[1] = static_cast<char>(aligned[0] + static_cast<char>(size));
    }
    // alloca and alignment together: the CFA is a word in memory.
    [[gnu::noinline]] static void run_with_alloca(std::size_t size) {
      alignas(64) volatile char aligned[64];
      auto* room = static_cast<volatile char*>(alloca(size));
      aligned[0] = 1;
      room[size - 1] = 2;
      expect_same_as_libunwind();
      aligned[1] = static_cast<char>(aligned[0] + room[size - 1]);
    }
  };
  recurse(1, [] { Local::run(10); });
  recurse(2, [] { Local::run_with_alloca(1000); });
}

TEST_F(CallShapes, WhileAnExceptionIsCaughtAndThrown) {
  struct CapturesWhenDestroyed {
    ~CapturesWhenDestroyed() { expect_same_as_libunwind(); }
  };
  const auto thrower = [] {
    const CapturesWhenDestroyed guard;
    throw 1;
  };
  try {
    recurse(5, thrower);
    FAIL() << "nothing was thrown";
  } catch (int) {
    expect_same_as_libunwind();
  }
}

TEST_F(CallShapes, CallbacksOfLibraries) {
  int values[] = {5, 3, 9, 1};
  std::qsort(values, 4, sizeof(int), [](const void* a, const void* b) {
    expect_same_as_libunwind(5);
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
  });
  std::vector<int> many = {4, 2, 8};
  std::sort(many.begin(), many.end(), [](int a, int b) {
    expect_same_as_libunwind();
    return a < b;
  });
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, [] { expect_same_as_libunwind(5); });
}

TEST_F(CallShapes, ThreadsEndAtTheirStart) {
  std::thread([] { expect_same_as_libunwind(); }).join();
  pthread_t thread;
  ASSERT_EQ(0, pthread_create(
                   &thread, nullptr,
                   [](void*) -> void* {
                     recurse(3, [] { expect_same_as_libunwind(); });
                     return nullptr;
                   },
                   nullptr));
  pthread_join(thread, nullptr);
}

ucontext_t g_main_context;
ucontext_t g_coroutine_context;

void coroutine() {
  recurse(3, [] { expect_same_as_libunwind(); });
}

TEST_F(CallShapes, CoroutinesEndAtTheirStart) {
  static std::vector<char> room(256 * 1024);
  ASSERT_EQ(0, getcontext(&g_coroutine_context));
  g_coroutine_context.uc_stack.ss_sp = room.data();
  g_coroutine_context.uc_stack.ss_size = room.size();
  g_coroutine_context.uc_link = &g_main_context;
  makecontext(&g_coroutine_context, coroutine, 0);
  ASSERT_EQ(0, swapcontext(&g_main_context, &g_coroutine_context));
}

TEST_F(CallShapes, DepthLimitCutsTheOuterEnd) {
  Stack whole;
  Stack cut;
  recurse(10, [&] {
    capture(kMaxFrames, whole);
    capture(5, cut);
    g_sink = g_sink + 1;
  });
  ASSERT_FALSE(whole.cut);
  ASSERT_EQ(5U, cut.depth);
  EXPECT_TRUE(cut.cut);
  EXPECT_FALSE(cut.failed);
  for (unsigned i = 1; i < cut.depth; ++i) {  // frame 0 is the lambda, at two addresses
    EXPECT_EQ(describe(whole.frames[i]), describe(cut.frames[i])) << i;
  }
  capture(whole.depth + 1 < kMaxFrames ? whole.depth + 1 : kMaxFrames, cut);
  EXPECT_FALSE(cut.cut);
}

TEST_F(CallShapes, FramesOfTheOwnModuleAreLeftOutAtTheInnermostEnd) {
  set_skip_own_module(true);
  int values[] = {2, 1};
  static Stack stack;
  std::qsort(values, 2, sizeof(int), [](const void* a, const void* b) {
    capture(kMaxFrames, stack);
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
  });
  ASSERT_GT(stack.depth, 2U);
  EXPECT_NE(std::string::npos, describe(stack.frames[0]).find("libc.so"));
  const unsigned own =
      static_cast<unsigned>(stack.frames[stack.depth - 1].frame >> format::kFrameModuleShift);
  EXPECT_NE(0U, own) << "frames further out stay";
}

}  // namespace
}  // namespace seep::stack::testing
