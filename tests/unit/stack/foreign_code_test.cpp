// Code without unwind tables: assembly by hand and code written at run time.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "format/snapshot_format.h"
#include "preload/stack/capture.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/modules.h"
#include "tests/unit/stack/oracle.h"

extern "C" void seep_test_call_without_tables(void (*function)(void*), void* argument);

// No .cfi directives: the assembler writes no unwind entry for it.
__asm__(
    ".pushsection .text\n"
    ".type seep_test_call_without_tables, @function\n"
    "seep_test_call_without_tables:\n"
    "pushq %rbp\n"
    "movq %rsp, %rbp\n"
    "movq %rdi, %rax\n"
    "movq %rsi, %rdi\n"
    "call *%rax\n"
    "popq %rbp\n"
    "ret\n"
    ".size seep_test_call_without_tables, . - seep_test_call_without_tables\n"
    ".popsection\n");

namespace seep::stack::testing {
namespace {

using Call = void (*)(void (*)(void*), void*);

void capture_into(void* out) {
  capture_here(*static_cast<Stack*>(out));
}

// Machine code in memory of its own, as a JIT has it.
class WrittenCode {
 public:
  explicit WrittenCode(std::string_view bytes)
      : page_(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    std::memcpy(page_, bytes.data(), bytes.size());
    mprotect(page_, kBytes, PROT_READ | PROT_EXEC);
  }
  ~WrittenCode() { munmap(page_, kBytes); }
  WrittenCode(const WrittenCode&) = delete;
  WrittenCode& operator=(const WrittenCode&) = delete;

  Stack capture_through() const {
    Stack stack;
    reinterpret_cast<Call>(page_)(capture_into, &stack);
    return stack;
  }
  [[nodiscard]] bool contains(const Frame& frame) const {
    return frame.frame - reinterpret_cast<std::uint64_t>(page_) < kBytes;
  }

 private:
  static constexpr std::size_t kBytes = 4096;
  void* page_;
};

using namespace std::string_view_literals;

// push rbp; mov rbp, rsp; mov rax, rdi; mov rdi, rsi; call rax; pop rbp; ret
constexpr auto kWithFramePointer = "\x55\x48\x89\xe5\x48\x89\xf8\x48\x89\xf7\xff\xd0\x5d\xc3"sv;
// push rbp; mov ebp, 1; …
constexpr auto kOddFramePointer =
    "\x55\xbd\x01\x00\x00\x00\x48\x89\xf8\x48\x89\xf7\xff\xd0\x5d\xc3"sv;
// push rbp; lea rbp, [rsp + 0x80000]; …: aligned, near, and perhaps beyond the end of the stack
constexpr auto kFramePointerBeyondTheStack =
    "\x55\x48\x8d\xac\x24\x00\x00\x08\x00\x48\x89\xf8\x48\x89\xf7\xff\xd0\x5d\xc3"sv;

class ForeignCode : public ::testing::Test {
 protected:
  void SetUp() override { set_skip_own_module(false); }
};

TEST_F(ForeignCode, AssemblyWithoutTablesIsPassedByFramePointer) {
  Stack stack;
  seep_test_call_without_tables(capture_into, &stack);
  ASSERT_GT(stack.depth, 3U);
  EXPECT_FALSE(stack.failed);
  EXPECT_EQ(0U, stack.frames[0].flags);
  EXPECT_EQ(0U, stack.frames[1].flags) << "the assembly itself was found by tables";
  EXPECT_EQ(format::kHeuristic, stack.frames[2].flags);
  EXPECT_EQ(0U, stack.frames[3].flags);
  EXPECT_NE(std::string::npos, describe(stack.frames[2]).find("seep_test_stack")) << "this test";
}

TEST_F(ForeignCode, WrittenCodeIsNamedByItsAddress) {
  const WrittenCode code(kWithFramePointer);
  const Stack stack = code.capture_through();
  ASSERT_GT(stack.depth, 3U);
  EXPECT_FALSE(stack.failed);
  EXPECT_TRUE(code.contains(stack.frames[1]));
  EXPECT_EQ(format::kHeuristic, stack.frames[2].flags);
}

TEST_F(ForeignCode, WrittenCodeDoesNotReadTheMappingsAtEachCapture) {
  const WrittenCode code(kWithFramePointer);
  code.capture_through();
  const std::uint64_t before = capture_count(format::CaptureCount::mappings_read).load();
  for (int i = 0; i < 1000; ++i) {
    code.capture_through();
  }
  EXPECT_EQ(before, capture_count(format::CaptureCount::mappings_read).load());
}

TEST_F(ForeignCode, AddressesOutsideAllCodeDoNotReadTheMappingsEachTime) {
  static int data[2];
  const auto pc = reinterpret_cast<std::uint64_t>(data);
  find_place(pc);
  const std::uint64_t before = capture_count(format::CaptureCount::mappings_read).load();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(find_place(pc).executable);
  }
  EXPECT_EQ(before, capture_count(format::CaptureCount::mappings_read).load());
}

TEST_F(ForeignCode, WalkStopsWhereTheFramePointerIsNone) {
  const WrittenCode code(kOddFramePointer);
  const Stack stack = code.capture_through();
  EXPECT_EQ(2U, stack.depth);
  EXPECT_TRUE(stack.failed);
  EXPECT_TRUE(code.contains(stack.frames[1]));
}

TEST_F(ForeignCode, FramePointerBeyondTheStackIsNotFollowed) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  pthread_t thread;
  static Stack stack;
  ASSERT_EQ(0, pthread_create(
                   &thread, &attributes,
                   [](void*) -> void* {
                     stack = WrittenCode(kFramePointerBeyondTheStack).capture_through();
                     return nullptr;
                   },
                   nullptr));
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_TRUE(stack.failed);
  EXPECT_EQ(2U, stack.depth);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they enlarge every frame

// --- what capture takes of the program's stack ---------------------------------------------------

// Fills the stack below with a pattern, captures, and looks how much of it is gone.
[[gnu::noinline]] std::size_t stack_used_by_capture(Stack& out) {
  constexpr std::size_t kRoom = 16 * 1024;
  std::uint64_t sp = 0;
  __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
  constexpr std::size_t kOwn = 256;  // what this loop itself may use below its stack pointer
  auto* bottom = reinterpret_cast<volatile unsigned char*>(sp - kRoom);
  for (std::size_t i = 0; i < kRoom - kOwn; ++i) {
    bottom[i] = 0xa5;
  }
  capture(kMaxFrames, out);
  std::size_t untouched = 0;
  while (untouched < kRoom - kOwn && bottom[untouched] == 0xa5) {
    ++untouched;
  }
  return kRoom - untouched;
}

TEST_F(ForeignCode, CaptureUsesLittleOfTheProgramsStack) {
  Stack stack;
  static volatile int rounds = 3;  // unknown to the compiler, so that there is one call site
  std::vector<std::size_t> used;
  for (int i = 0; i < rounds; ++i) {
    used.push_back(stack_used_by_capture(stack));
  }
  std::printf("stack used: %zu bytes at first, %zu warm\n", used.front(), used.back());
  EXPECT_LT(used.front(), 2048U);
  EXPECT_LT(used.back(), 768U);
}

#endif

}  // namespace
}  // namespace seep::stack::testing
