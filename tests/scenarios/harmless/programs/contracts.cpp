// Asks every allocation function for what it must refuse, and prints what came of it: no address,
// so that two runs print the same. What stays alive is made in site_… functions, in numbers that
// tests/scenarios/harmless/contracts_test.cpp knows.
// usage: contracts edges | errno | foreign N | threads N | operators
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#include "samples/pace.h"

extern "C" void* __libc_malloc(std::size_t size);
extern "C" void __libc_free(void* block);

namespace {

constexpr int kNotTouched = 77;
constexpr std::size_t kHalf = SIZE_MAX / 2;

// volatile: the compiler knows these functions, and would fold or warn.
volatile std::size_t g_zero = 0;
volatile std::size_t g_most = SIZE_MAX;
volatile std::size_t g_signed_most = PTRDIFF_MAX;

void say(const char* what, const void* block) {
  std::printf("%s: %s, errno %d\n", what, block == nullptr ? "null" : "block", errno);
  errno = kNotTouched;
}

void say_and_free(const char* what, void* block) {
  say(what, block);
  use(block);
  std::free(block);
}

// As much of the block as may be used is used.
bool fills(void* block, std::size_t size) {
  const std::size_t usable = malloc_usable_size(block);
  std::memset(block, 0x5A, usable);
  return usable >= size;
}

bool holds(const void* block, std::size_t size, unsigned char byte) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  for (std::size_t i = 0; i < size; ++i) {
    if (bytes[i] != byte) {
      return false;
    }
  }
  return true;
}

void sizes() {
  say_and_free("malloc 0", std::malloc(g_zero));
  say_and_free("malloc SIZE_MAX", std::malloc(g_most));
  say_and_free("malloc SIZE_MAX - 15", std::malloc(g_most - 15));
  say_and_free("malloc PTRDIFF_MAX", std::malloc(g_signed_most));
  say_and_free("malloc PTRDIFF_MAX + 1", std::malloc(g_signed_most + 1));
  say_and_free("calloc 0 8", std::calloc(g_zero, 8));
  say_and_free("calloc 8 0", std::calloc(8, g_zero));
  say_and_free("calloc overflow", std::calloc(g_most / 2, 3));
  say_and_free("calloc overflow to few", std::calloc(g_signed_most + 1, 2));
  say_and_free("calloc SIZE_MAX 1", std::calloc(g_most, 1));
  say_and_free("realloc null 0", std::realloc(nullptr, g_zero));
  say_and_free("reallocarray null 0", reallocarray(nullptr, g_zero, 8));
  say_and_free("reallocarray null overflow", reallocarray(nullptr, g_most / 2, 3));
  say_and_free("valloc 0", valloc(g_zero));
  say_and_free("valloc SIZE_MAX", valloc(g_most));
  say_and_free("pvalloc 0", pvalloc(g_zero));
  say_and_free("pvalloc SIZE_MAX", pvalloc(g_most));
  for (const std::size_t size : {0, 1, 8, 15, 16, 17, 24, 25, 40, 1000, 4096, 135168, 1048577}) {
    void* block = std::malloc(size);
    std::printf("usable %zu: %d\n", size, fills(block, size));
    std::free(block);
  }
  std::printf("usable null: %zu\n", malloc_usable_size(nullptr));
}

void zeroed() {
  for (std::size_t size = 1; size <= 300000; size = size * 3 + 1) {
    void* dirty = std::malloc(size);
    std::memset(dirty, 0xFF, size);
    std::free(dirty);
    void* block = std::calloc(1, size);
    std::printf("calloc %zu is zero: %d\n", size, holds(block, size, 0));
    std::free(block);
  }
}

void say_aligned(const char* what, std::size_t alignment, std::size_t size) {
  int marker = 0;
  void* block = &marker;
  const int error = posix_memalign(&block, alignment, size);
  const bool aligned = error == 0 && reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
  std::printf("posix_memalign %s: %d, %s, aligned %d, errno %d\n", what, error,
              block == &marker ? "untouched" : "changed", aligned, errno);
  errno = kNotTouched;
  if (block != &marker) {
    std::free(block);
  }
}

void alignments() {
  say_aligned("0", 0, 8);
  say_aligned("1", 1, 8);
  say_aligned("3", 3, 8);
  say_aligned("4", 4, 8);
  say_aligned("24", 24, 8);
  say_aligned("8 of 0", 8, 0);
  say_aligned("4096 of 1", 4096, 1);
  say_aligned("64 of SIZE_MAX", 64, g_most);
  say_aligned("2^62 of 8", std::size_t{1} << 62, 8);
  say_aligned("2^63 of 8", std::size_t{1} << 63, 8);
  volatile std::size_t odd = 3;
  say_and_free("aligned_alloc 3", aligned_alloc(odd, 8));
  say_and_free("aligned_alloc 0", aligned_alloc(g_zero, 8));
  say_and_free("aligned_alloc 64 of 1", aligned_alloc(64, odd - 2));
  say_and_free("aligned_alloc half", aligned_alloc(g_signed_most + 1, 8));
  say_and_free("aligned_alloc above half", aligned_alloc(g_signed_most + 2, 8));
  say_and_free("aligned_alloc of SIZE_MAX", aligned_alloc(64, g_most));
  say_and_free("memalign 0", memalign(g_zero, 8));
  say_and_free("memalign 3", memalign(odd, 8));
  say_and_free("memalign above half", memalign(g_signed_most + 2, 8));
  say_and_free("memalign of SIZE_MAX", memalign(64, g_most));
}

SAMPLE_FUNCTION void* site_kept_by_failure(std::size_t size) {
  void* block = std::malloc(size);
  use(block);
  std::memset(block, 0x11, size);
  return block;
}

// Each failing realloc leaves the block where it is, with what is in it.
void failing_moves() {
  for (const std::size_t size : {24, 5000, 300000}) {
    void* block = site_kept_by_failure(size);
    say("realloc SIZE_MAX", std::realloc(block, g_most));
    say("realloc PTRDIFF_MAX", std::realloc(block, g_signed_most));
    say("reallocarray overflow", reallocarray(block, g_most / 4, 8));
    say("reallocarray too large", reallocarray(block, kHalf, 1));
    std::printf("kept %zu: %d\n", size, holds(block, size, 0x11));
  }
}

SAMPLE_FUNCTION void releasing_moves() {
  for (const std::size_t size : {24, 5000, 300000}) {
    say("realloc to 0", std::realloc(std::malloc(size), g_zero));
    say("reallocarray to 0", reallocarray(std::malloc(size), g_zero, 8));
    void* grown = std::realloc(std::memset(std::malloc(size), 0x22, size), size * 3);
    std::printf("grown %zu: %d\n", size, holds(grown, size, 0x22));
    void* shrunk = std::realloc(grown, size / 2);
    std::printf("shrunk %zu: %d\n", size, holds(shrunk, size / 2, 0x22));
    std::free(shrunk);
  }
}

void edges() {
  errno = kNotTouched;
  sizes();
  zeroed();
  alignments();
  failing_moves();
  releasing_moves();
}

// Often enough that snapshots are taken and tables grow meanwhile.
void keep_errno() {
  std::vector<void*> blocks(4000);
  unsigned touched = 0;
  errno = kNotTouched;
  for (unsigned round = 0; round < 40; ++round) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      blocks[i] = round % 2 == 0 ? std::malloc(i % 700) : std::calloc(1, i % 700);
      blocks[i] = std::realloc(blocks[i], i % 900 + 1);
      touched += errno != kNotTouched ? 1 : 0;
    }
    for (void*& block : blocks) {
      std::free(block);
      touched += errno != kNotTouched ? 1 : 0;
    }
    std::free(std::malloc(std::size_t{1} << 20));  // unmapped at once
    delete new int(1);
    void* aligned = nullptr;
    touched += posix_memalign(&aligned, 256, 100) != 0 || errno != kNotTouched ? 1 : 0;
    std::free(aligned);
  }
  std::printf("errno touched: %u\n", touched);
}

SAMPLE_FUNCTION void* site_freed_behind() {
  void* block = std::malloc(120);
  use(block);
  return block;
}

// Blocks that libc made for itself are released through free, and blocks of malloc past it.
void foreign(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    void* block = __libc_malloc(64);
    std::memset(block, 1, 64);
    if (i % 2 == 0) {
      std::free(block);
    } else {
      std::free(std::realloc(block, 200));
    }
  }
  for (unsigned i = 0; i < count; ++i) {
    __libc_free(site_freed_behind());  // the same address again and again
  }
  void* last = std::malloc(120);
  use(last);
  std::printf("foreign %u: done\n", count);
  std::free(last);
}

SAMPLE_FUNCTION void* site_freed_elsewhere() {
  void* block = std::malloc(80);
  use(block);
  return block;
}
SAMPLE_FUNCTION void* site_grown_elsewhere(void* block) {
  block = std::realloc(block, 160);
  use(block);
  return block;
}

// `count` blocks made in a thread that is gone; a third freed here, a third grown in a third
// thread.
void threads(unsigned count) {
  std::vector<void*> blocks(count);
  std::thread([&] {
    for (void*& block : blocks) {
      block = site_freed_elsewhere();
    }
  }).join();
  std::thread([&] {
    for (unsigned i = 0; i < count / 3; ++i) {
      blocks[i] = site_grown_elsewhere(blocks[i]);
    }
  }).join();
  for (unsigned i = count / 3; i < count / 3 * 2; ++i) {
    std::free(blocks[i]);
  }
  std::printf("threads %u: done\n", count);
}

SAMPLE_FUNCTION void* site_after_failures() {
  void* block = ::operator new(48);
  use(block);
  return block;
}

// It is the program's own, not one that an allocator made below a hook that was left.
SAMPLE_FUNCTION void site_map_after_jumps() {
  use(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

// The same, from frames below that of the hook that was left.
SAMPLE_FUNCTION void site_map_from_below() {
  use(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
SAMPLE_FUNCTION void map_from_below(unsigned depth) {
  volatile char frame[2000];
  frame[0] = static_cast<char>(depth);
  if (depth == 0) {
    site_map_from_below();
  } else {
    map_from_below(depth - 1);
  }
  frame[1] = frame[0];
}

// Deep enough that what is called afterwards has its frames above.
SAMPLE_FUNCTION void fail_below(unsigned depth) {
  volatile char frame[200];
  frame[0] = static_cast<char>(depth);
  if (depth == 0) {
    use(::operator new(g_signed_most));
  } else {
    fail_below(depth - 1);
  }
  frame[1] = frame[0];
}

unsigned g_handler_calls = 0;
std::jmp_buf g_jump;
unsigned g_turn = 0;

void give_up_at_third() {
  if (++g_handler_calls == 3) {
    std::set_new_handler(nullptr);
  }
}
void throw_something() {
  throw 42;
}
void jump_out() {
  longjmp(g_jump, 1);
}

template <typename Call>
void say_outcome(const char* what, Call call) {
  try {
    std::printf("%s: %s\n", what, call() == nullptr ? "null" : "block");
  } catch (const std::bad_alloc&) {
    std::printf("%s: bad_alloc\n", what);
  } catch (int number) {
    std::printf("%s: %d\n", what, number);
  }
}

void say_every_form() {
  const std::align_val_t aligned{64};
  say_outcome("new", [] { return ::operator new(g_signed_most); });
  say_outcome("new[]", [] { return ::operator new[](g_signed_most); });
  say_outcome("new nothrow", [] { return ::operator new(g_signed_most, std::nothrow); });
  say_outcome("new[] nothrow", [] { return ::operator new[](g_signed_most, std::nothrow); });
  say_outcome("new aligned", [=] { return ::operator new(g_signed_most, aligned); });
  say_outcome("new[] aligned", [=] { return ::operator new[](g_signed_most, aligned); });
  say_outcome("new aligned nothrow",
              [=] { return ::operator new(g_signed_most, aligned, std::nothrow); });
  say_outcome("new SIZE_MAX", [] { return ::operator new(g_most); });
}

void operators() {
  say_every_form();
  std::set_new_handler(give_up_at_third);
  say_outcome("new with a handler", [] { return ::operator new(g_signed_most); });
  std::printf("handler called %u times\n", g_handler_calls);
  std::set_new_handler(throw_something);
  say_every_form();
  std::set_new_handler(jump_out);
  for (g_turn = 0; g_turn < 5; ++g_turn) {
    if (setjmp(g_jump) == 0) {
      fail_below(20);
    }
    site_after_failures();
  }
  if (setjmp(g_jump) == 0) {
    fail_below(20);
  }
  site_map_after_jumps();
  if (setjmp(g_jump) == 0) {
    use(::operator new(g_signed_most));
  }
  map_from_below(0);
  if (setjmp(g_jump) == 0) {
    use(::operator new(g_signed_most));
  }
  map_from_below(4);
  std::set_new_handler(nullptr);
  say_outcome("new after all", [] { return ::operator new(g_signed_most); });
  map_from_below(9);
  void* empty = ::operator new(g_zero);
  std::printf("new 0: %s\n", empty == nullptr ? "null" : "block");
  ::operator delete(empty);
  ::operator delete(nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto count = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 0);
  if (what == "edges") {
    edges();
  } else if (what == "errno") {
    keep_errno();
  } else if (what == "foreign") {
    foreign(count);
  } else if (what == "threads") {
    threads(count);
  } else if (what == "operators") {
    operators();
  } else {
    return 2;
  }
}
