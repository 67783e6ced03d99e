// Allocates on stacks and below frames of every kind. What stays alive is made in site_… functions,
// COUNT times; tests/scenarios/harmless/moments_test.cpp knows how often each is reached.
// usage: stacks CASE COUNT
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "samples/pace.h"

extern "C" void* call_without_tables(void* (*function)(std::size_t), std::size_t size);

namespace {

constexpr std::size_t kPage = 4096;

#define SITE(name)                               \
  SAMPLE_FUNCTION void* name(std::size_t size) { \
    void* block = std::malloc(size);             \
    use(block);                                  \
    std::memset(block, 1, size);                 \
    return block;                                \
  }

// ---- threads with the smallest stack there is ----

SITE(site_small_stack)

void* on_small_stack(void*) {
  for (unsigned i = 0; i < 10; ++i) {
    site_small_stack(100 + i);
    std::free(std::realloc(std::calloc(3, 50 + i), 4000));
    delete new std::string(100, 'x');
  }
  return nullptr;
}

void small_stacks(unsigned count) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
  for (unsigned i = 0; i < count; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, on_small_stack, nullptr) != 0) {
      std::abort();
    }
    pthread_join(thread, nullptr);
  }
}

// ---- ucontext: stacks that come, move and go ----

SITE(site_coroutine)

ucontext_t g_main;
ucontext_t g_coroutine;

void run_coroutine() {
  for (unsigned i = 0; i < 4; ++i) {
    site_coroutine(64);
    swapcontext(&g_coroutine, &g_main);
  }
}

// Each has a stack of its own, unmapped when it is over; the kernel uses the place again.
void coroutines(unsigned count) {
  constexpr std::size_t kStack = 4 * kPage;
  static unsigned begun = 0;  // not a variable that getcontext might have in a register
  for (begun = 0; begun < count; ++begun) {
    void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&g_coroutine);
    g_coroutine.uc_stack = {stack, 0, kStack};
    g_coroutine.uc_link = &g_main;
    makecontext(&g_coroutine, run_coroutine, 0);
    for (unsigned turn = 0; turn < 5; ++turn) {
      swapcontext(&g_main, &g_coroutine);
    }
    munmap(stack, kStack);
  }
}

// ---- ucontext: on what is left of a stack ----

SITE(site_on_shrunk_stack)

std::uintptr_t g_place;

// With a frame pointer: registers are the same in both calls, and only what lies above differs.
[[gnu::noinline, gnu::optimize("no-omit-frame-pointer")]] void allocate_at_place() {
  site_on_shrunk_stack(32);
}

// Puts the stack pointer to one place, from however far above.
void call_at_place() {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  void* gap = __builtin_alloca(here - g_place);
  use(gap);
  allocate_at_place();
  use(gap);
}

void run_on(void* stack, std::size_t bytes) {
  getcontext(&g_coroutine);
  g_coroutine.uc_stack = {stack, 0, bytes};
  g_coroutine.uc_link = &g_main;
  makecontext(&g_coroutine, call_at_place, 0);
  swapcontext(&g_main, &g_coroutine);
}

// The frames that a first walk met above the place are not mapped when the second comes there.
void shrunk_stacks(unsigned count) {
  constexpr std::size_t kHalf = 16 * kPage;
  for (unsigned i = 0; i < count; ++i) {
    auto* stack = static_cast<char*>(
        mmap(nullptr, 2 * kHalf, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    g_place = reinterpret_cast<std::uintptr_t>(stack + kHalf / 2);
    run_on(stack, 2 * kHalf);
    munmap(stack + kHalf, kHalf);
    run_on(stack, kHalf);
    munmap(stack, kHalf);
  }
}

// ---- code without unwind tables ----

SITE(site_below_jit)
SITE(site_below_assembly)

// push %rbp; mov %rsp,%rbp; mov %rdi,%rax; mov %rsi,%rdi; call *%rax; pop %rbp; ret
constexpr unsigned char kWithFramePointer[] = {0x55, 0x48, 0x89, 0xE5, 0x48, 0x89, 0xF8,
                                               0x48, 0x89, 0xF7, 0xFF, 0xD0, 0x5D, 0xC3};
// push %rbp; xor %ebp,%ebp; mov %rdi,%rax; mov %rsi,%rdi; call *%rax; pop %rbp; ret
constexpr unsigned char kWithoutFramePointer[] = {0x55, 0x31, 0xED, 0x48, 0x89, 0xF8, 0x48,
                                                  0x89, 0xF7, 0xFF, 0xD0, 0x5D, 0xC3};
// push %rbp; mov $-1,%rbp; as above: the register holds no address.
constexpr unsigned char kWithRubbish[] = {0x55, 0x48, 0xC7, 0xC5, 0xFF, 0xFF, 0xFF, 0xFF, 0x48,
                                          0x89, 0xF8, 0x48, 0x89, 0xF7, 0xFF, 0xD0, 0x5D, 0xC3};

template <std::size_t kBytes>
void run_machine_code(const unsigned char (&code)[kBytes], unsigned count) {
  using Call = void* (*)(void* (*)(std::size_t), std::size_t);
  for (unsigned i = 0; i < count; ++i) {
    void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memcpy(page, code, kBytes);
    reinterpret_cast<Call>(page)(site_below_jit, 72);
    std::free(reinterpret_cast<Call>(page)(std::malloc, 72));  // malloc called by the code itself
    munmap(page, kPage);
  }
}

void jit(unsigned count) {
  run_machine_code(kWithFramePointer, count);
  run_machine_code(kWithoutFramePointer, count);
  run_machine_code(kWithRubbish, count);
}

void assembly(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    call_without_tables(site_below_assembly, 72);
    std::free(call_without_tables(std::malloc, 72));
  }
}

// ---- exceptions through frames of libc and of the hooks ----

SITE(site_before_throw)

int throw_now_and_then(const void* left, const void* right) {
  site_before_throw(40);
  const int a = *static_cast<const int*>(left);
  const int b = *static_cast<const int*>(right);
  if (a + b > 3) {
    throw std::runtime_error("out of qsort");
  }
  return a - b;
}

// The first comparison, which is of the last two numbers, throws.
void exceptions(unsigned count) {
  unsigned caught = 0;
  for (unsigned i = 0; i < count; ++i) {
    int numbers[] = {1, 2, 3};
    try {
      std::qsort(numbers, 3, sizeof(int), throw_now_and_then);
    } catch (const std::runtime_error& error) {
      ++caught;
    }
  }
  std::printf("caught %u\n", caught);
}

// ---- the end of the stack ----

SITE(site_deep)

unsigned g_depth = 0;
volatile bool g_always = true;

// Keeps one block each turn, and never comes back.
SAMPLE_FUNCTION int fall(volatile char* before) {
  volatile char frame[200];
  frame[0] = before[0];
  site_deep(32);
  ++g_depth;
  return (g_always ? fall(frame) : 0) + frame[0];
}

void report_overflow(int) {
  static constexpr char kText[] = "handled\n";
  _exit(write(STDOUT_FILENO, kText, sizeof(kText) - 1) > 0 && g_depth > 100 ? 7 : 8);
}

void overflow(bool handled) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (handled) {
    static char stack[65536];
    const stack_t alternate{stack, 0, sizeof(stack)};
    sigaltstack(&alternate, nullptr);
    struct sigaction action {};
    action.sa_handler = report_overflow;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
  }
  volatile char start = 1;
  std::exit(fall(&start));
}

}  // namespace

// Hand-written: no .cfi, a frame of an odd size, no frame pointer.
__asm__(
    ".text\n"
    ".globl call_without_tables\n"
    ".type call_without_tables, @function\n"
    "call_without_tables:\n"
    "  pushq %rbx\n"
    "  subq $80, %rsp\n"
    "  movq %rdi, %rax\n"
    "  movq %rsi, %rdi\n"
    "  callq *%rax\n"
    "  addq $80, %rsp\n"
    "  popq %rbx\n"
    "  ret\n"
    ".size call_without_tables, .-call_without_tables\n");

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto count = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 1);
  if (what == "small_stacks") {
    small_stacks(count);
  } else if (what == "coroutines") {
    coroutines(count);
  } else if (what == "shrunk_stacks") {
    shrunk_stacks(count);
  } else if (what == "jit") {
    jit(count);
  } else if (what == "assembly") {
    assembly(count);
  } else if (what == "exceptions") {
    exceptions(count);
  } else if (what == "overflow") {
    overflow(/*handled=*/false);
  } else if (what == "overflow_handled") {
    overflow(/*handled=*/true);
  } else {
    return 2;
  }
  std::printf("%s: done\n", argv[1]);
}
