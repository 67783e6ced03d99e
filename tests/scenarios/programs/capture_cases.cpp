// Stacks that are hard to capture and to predict: CASE COUNT makes about COUNT allocations along
// them. Prints how many turns it made; ends with 0.
//
//   threads     8 of them at a time, with random call paths; they end and others take their stacks
//   exceptions  allocated, thrown through frames with destructors, caught at different depths
//   jumps       frames left by longjmp
//   coroutines  on stacks of their own that are used again and again (ucontext)
//   signals     handlers that allocate, on the same stack and on another one, at any instruction
//   plugins     opened and closed in a loop: two that look alike, at the same place
//   unseen      the same by libc's own dlopen and dlclose, past every hook
//   crowd       two threads open and close plugins while another one allocates
//   iconv       libc opens and closes its converters, past every hook
//   recursion   deeper than the frames that are kept, and by different ways
//   frames      sizes known at run time, realigned stacks, frames found by rbp and by rbx only
//   jit         code without unwind tables that is written anew at the same place
//   forks       children that go on with their parent's stacks
#include <alloca.h>
#include <dlfcn.h>
#include <iconv.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "samples/pace.h"

namespace {

// A small linear congruential generator: the same sequence in every run.
unsigned next_random(unsigned& state) {
  state = state * 1664525U + 1013904223U;
  return state >> 8;
}

SAMPLE_FUNCTION void allocate(std::size_t bytes) {
  void* block = std::malloc(bytes);
  use(block);
  std::free(block);
}

// Paths of up to 12 calls; which ones, `way` says, two bits a call.
void go(unsigned way, unsigned calls);
SAMPLE_FUNCTION void go_left(unsigned way, unsigned calls) {
  go(way >> 2, calls - 1);
  use(&way);
}
SAMPLE_FUNCTION void go_right(unsigned way, unsigned calls) {
  volatile char room[40] = {static_cast<char>(way)};
  go(way >> 2, calls - 1);
  use(const_cast<char*>(room));
}
SAMPLE_FUNCTION void go_twice(unsigned way, unsigned calls) {
  go(way >> 2, calls - 1);
  go(way >> 2, calls / 2);
  use(&way);
}
SAMPLE_FUNCTION void go_indirectly(unsigned way, unsigned calls) {
  const std::function<void(unsigned)> next = [&](unsigned w) { go(w, calls - 1); };
  next(way >> 2);
}
SAMPLE_FUNCTION void go(unsigned way, unsigned calls) {
  if (calls == 0) {
    allocate(16 + way % 64);
    return;
  }
  constexpr void (*kWays[])(unsigned, unsigned) = {go_left, go_right, go_twice, go_indirectly};
  kWays[way % 4](way, calls);
  use(&way);
}

void go_at_random(unsigned& seed) {
  const unsigned way = next_random(seed);
  go(way, 1 + (way >> 20) % 7);
}

// ---- threads ----

unsigned long run_threads(unsigned long count) {
  constexpr unsigned kAtATime = 8;
  constexpr unsigned long kTurns = 2000;
  unsigned long turns = 0;
  while (turns * 3 < count) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kAtATime; ++i) {
      threads.emplace_back([seed = static_cast<unsigned>(turns + i)]() mutable {
        for (unsigned long turn = 0; turn < kTurns; ++turn) {
          go_at_random(seed);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    turns += kAtATime * kTurns;
  }
  return turns;
}

// ---- exceptions and jumps ----

SAMPLE_FUNCTION void throw_from(unsigned depth, unsigned value) {
  const auto held = std::make_unique<std::string>(40, 'x');
  use(held.get());
  if (depth == 0) {
    if (value % 3 == 0) {
      throw std::runtime_error("a sentence that is too long for a small string: " +
                               std::to_string(value));
    }
    throw value;
  }
  throw_from(depth - 1, value);
  use(held.get());
}

SAMPLE_FUNCTION void catch_some(unsigned depth, unsigned value) {
  try {
    throw_from(depth, value);
  } catch (const std::runtime_error& error) {
    const std::string copy = error.what();
    use(copy.data());
    if (value % 2 == 0) {
      throw;
    }
  }
}

unsigned long run_exceptions(unsigned long count) {
  unsigned long turns = 0;
  unsigned seed = 1;
  for (; turns * 6 < count; ++turns) {
    const unsigned value = next_random(seed);
    try {
      catch_some(value % 9, value);
    } catch (const std::exception&) {
      go_at_random(seed);
    } catch (unsigned caught) {
      allocate(caught % 100 + 1);
    }
  }
  return turns;
}

jmp_buf g_back;

SAMPLE_FUNCTION void jump_from(unsigned depth, unsigned& seed) {
  go_at_random(seed);
  if (depth != 0) {
    jump_from(depth - 1, seed);
  }
  use(&depth);
  if (depth == 0) {
    longjmp(g_back, 1);
  }
}

unsigned long run_jumps(unsigned long count) {
  static unsigned long turns = 0;
  static unsigned seed = 1;
  for (; turns * 12 < count; ++turns) {
    if (setjmp(g_back) == 0) {
      jump_from(next_random(seed) % 8, seed);
    }
  }
  return turns;
}

// ---- coroutines ----

constexpr unsigned kCoroutines = 8;
constexpr std::size_t kCoroutineBytes = std::size_t{64} * 1024;
ucontext_t g_main_context;
std::array<ucontext_t, kCoroutines> g_contexts;
std::array<bool, kCoroutines> g_ended;

SAMPLE_FUNCTION void yield_from(unsigned index, unsigned depth, unsigned& seed) {
  allocate(32 + depth);
  if (depth != 0) {
    yield_from(index, depth - 1, seed);
  } else {
    swapcontext(&g_contexts[index], &g_main_context);
  }
  go_at_random(seed);
}

void run_coroutine(unsigned index, unsigned first_seed) {
  unsigned seed = first_seed;
  for (unsigned i = 0; i < 20; ++i) {
    yield_from(index, next_random(seed) % 6, seed);
  }
  g_ended[index] = true;
}

void start_coroutine(unsigned index, char* stack, unsigned seed) {
  g_ended[index] = false;
  getcontext(&g_contexts[index]);
  g_contexts[index].uc_stack.ss_sp = stack + index * kCoroutineBytes;
  g_contexts[index].uc_stack.ss_size = kCoroutineBytes;
  g_contexts[index].uc_link = &g_main_context;
  makecontext(&g_contexts[index], reinterpret_cast<void (*)()>(run_coroutine), 2, index, seed);
}

unsigned long run_coroutines(unsigned long count) {
  static std::array<char, kCoroutines * kCoroutineBytes> stacks;
  g_ended.fill(true);
  unsigned seed = 1;
  unsigned long turns = 0;
  for (; turns * 6 < count; ++turns) {
    const unsigned index = next_random(seed) % kCoroutines;
    if (g_ended[index]) {
      start_coroutine(index, stacks.data(), seed);
    }
    swapcontext(&g_main_context, &g_contexts[index]);
  }
  return turns;
}

// ---- signals ----

// malloc may be what SIGALRM interrupts, so its handler must not call it; mmap it may, which is
// recorded with its stack as well. The others are raised at a known place, and may allocate.
volatile sig_atomic_t g_handled = 0;

SAMPLE_FUNCTION void handle(int number) {
  g_handled = g_handled + 1;
  void* map = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(map, 4096);
  if (number != SIGALRM) {
    unsigned seed = static_cast<unsigned>(g_handled);
    go_at_random(seed);
  }
}

void catch_signal(int number, int flags) {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = flags | SA_RESTART;
  sigaction(number, &action, nullptr);
}

unsigned long run_signals(unsigned long count) {
  static std::array<char, std::size_t{128} * 1024> stack;
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  sigaltstack(&other, nullptr);
  catch_signal(SIGALRM, 0);
  catch_signal(SIGUSR1, 0);
  catch_signal(SIGUSR2, SA_ONSTACK);
  const itimerval every{{0, 2000}, {0, 2000}};
  setitimer(ITIMER_REAL, &every, nullptr);
  unsigned seed = 1;
  unsigned long turns = 0;
  for (; turns * 4 < count; ++turns) {
    go_at_random(seed);
    if (turns % 3 == 0) {
      raise(turns % 2 == 0 ? SIGUSR1 : SIGUSR2);
    }
  }
  setitimer(ITIMER_REAL, nullptr, nullptr);
  return turns;
}

// ---- plugins and converters ----

std::string g_folder;  // of this program, with a slash

using Open = void* (*)(const char*, int);
using Close = int (*)(void*);

unsigned long use_plugins(unsigned long count, Open open, Close close, unsigned seed = 1) {
  constexpr unsigned kTurns = 400;
  unsigned long turns = 0;
  for (; turns * kTurns < count; ++turns) {
    const std::string path = g_folder + "libcapture_plugin_" + "ab"[next_random(seed) % 2] + ".so";
    void* plugin = open(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      std::exit(1);
    }
    using Work = unsigned (*)(unsigned);
    reinterpret_cast<Work>(dlsym(plugin, "plugin_work"))(kTurns);
    close(plugin);
  }
  return turns;
}

unsigned long run_plugins(unsigned long count) {
  return use_plugins(count, dlopen, dlclose);
}

unsigned long run_unseen(unsigned long count) {
  void* libc = dlopen("libc.so.6", RTLD_NOW);
  return use_plugins(count, reinterpret_cast<Open>(dlsym(libc, "dlopen")),
                     reinterpret_cast<Close>(dlsym(libc, "dlclose")));
}

unsigned long run_crowd(unsigned long count) {
  std::atomic<bool> done{false};
  std::thread bystander([&done, seed = 3U]() mutable {
    while (!done) {
      go_at_random(seed);
    }
  });
  std::thread other([count] { use_plugins(count / 2, dlopen, dlclose, 2); });
  const unsigned long turns = use_plugins(count / 2, dlopen, dlclose);
  other.join();
  done = true;
  bystander.join();
  return turns;
}

unsigned long run_iconv(unsigned long count) {
  constexpr std::array kCharsets = {"ISO-2022-JP", "ISO-2022-KR", "EUC-JP",    "ISO-8859-2",
                                    "ISO-8859-3",  "KOI8-R",      "UTF-7",     "SHIFT_JIS",
                                    "BIG5",        "EUC-KR",      "ISO-8859-5"};
  unsigned seed = 1;
  unsigned long turns = 0;
  for (; turns * 8 < count; ++turns) {
    iconv_t converter = iconv_open(kCharsets[next_random(seed) % kCharsets.size()], "UTF-8");
    if (converter != reinterpret_cast<iconv_t>(-1)) {
      std::array<char, 8> from = {"abc"};
      std::array<char, 64> to;
      char* in = from.data();
      char* out = to.data();
      std::size_t in_bytes = 3;
      std::size_t out_bytes = to.size();
      iconv(converter, &in, &in_bytes, &out, &out_bytes);
      iconv_close(converter);
    }
  }
  return turns;
}

// ---- recursion and frames ----

unsigned long run_recursion(unsigned long count) {
  unsigned seed = 1;
  unsigned long turns = 0;
  const std::function<void(unsigned, unsigned)> descend = [&](unsigned depth, unsigned way) {
    if (depth == 0) {
      go_at_random(seed);
    } else if ((way >> depth % 16) % 2 == 0) {
      descend(depth - 1, way);
    } else {
      std::map<unsigned, std::string> held{{way, std::string(50, 'x')}};
      descend(depth - 1, way);
      use(&held);
    }
  };
  for (; turns * 60 < count; ++turns) {
    const unsigned way = next_random(seed);
    descend(way % 120, way >> 4);
  }
  return turns;
}

SAMPLE_FUNCTION void with_room(unsigned bytes, unsigned& seed) {
  char* room = static_cast<char*>(alloca(bytes));
  std::memset(room, 1, bytes);
  go_at_random(seed);
  use(room);
}

SAMPLE_FUNCTION void realigned(unsigned bytes, unsigned& seed) {
  alignas(64) volatile char line[64] = {1};
  with_room(bytes, seed);
  use(const_cast<char*>(line));
}

SAMPLE_FUNCTION void realigned_with_room(unsigned bytes, unsigned& seed) {
  alignas(128) volatile char line[128] = {1};
  char* room = static_cast<char*>(alloca(bytes));
  std::memset(room, 1, bytes);
  realigned(bytes, seed);
  use(const_cast<char*>(line));
  use(room);
}

int compare_and_allocate(const void* a, const void* b) {
  allocate(24);
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

unsigned long run_frames(unsigned long count) {
  unsigned seed = 1;
  unsigned long turns = 0;
  for (; turns * 25 < count; ++turns) {
    const unsigned random = next_random(seed);
    realigned_with_room(16 + random % 5 * 32, seed);
    with_room(16 + random % 7 * 16, seed);
    std::array<int, 8> numbers{};
    for (int& number : numbers) {
      number = static_cast<int>(next_random(seed));
    }
    std::qsort(numbers.data(), numbers.size(), sizeof(int), compare_and_allocate);
  }
  return turns;
}

// ---- code written at run time ----

extern "C" void capture_cases_allocate() {
  allocate(48);
}

// A function that keeps a frame pointer and `room` bytes, and calls capture_cases_allocate.
void write_function(unsigned char* code, unsigned char room) {
  const auto target = reinterpret_cast<std::uintptr_t>(&capture_cases_allocate);
  const std::array<unsigned char, 10> head = {0x55, 0x48, 0x89, 0xe5, 0x48,
                                              0x83, 0xec, room, 0x48, 0xb8};  // …; movabs $, %rax
  const std::array<unsigned char, 4> tail = {0xff, 0xd0, 0xc9, 0xc3};  // call *%rax; leave; ret
  std::memcpy(code, head.data(), head.size());
  std::memcpy(code + head.size(), &target, sizeof target);
  std::memcpy(code + head.size() + sizeof target, tail.data(), tail.size());
}

unsigned long run_jit(unsigned long count) {
  constexpr std::size_t kBytes = 4096;
  unsigned seed = 1;
  unsigned long turns = 0;
  while (turns < count) {
    void* page = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 500; ++i, ++turns) {
      const unsigned random = next_random(seed);
      unsigned char* code = static_cast<unsigned char*>(page) + random % 4 * 64;
      write_function(code, static_cast<unsigned char>(16 + random % 3 * 16));
      reinterpret_cast<void (*)()>(code)();
    }
    munmap(page, kBytes);
  }
  return turns;
}

unsigned long run_forks(unsigned long count) {
  constexpr unsigned kChildren = 4;
  unsigned seed = 1;
  go_at_random(seed);
  for (unsigned i = 0; i < kChildren; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (unsigned long turn = 0; turn * 3 < count / kChildren; ++turn) {
        go_at_random(seed);
      }
      std::exit(0);
    }
    go_at_random(seed);
  }
  while (wait(nullptr) > 0) {
  }
  return kChildren;
}

struct Case {
  const char* name;
  unsigned long (*run)(unsigned long count);
};
constexpr Case kCases[] = {
    {"threads", run_threads},       {"exceptions", run_exceptions}, {"jumps", run_jumps},
    {"coroutines", run_coroutines}, {"signals", run_signals},       {"plugins", run_plugins},
    {"unseen", run_unseen},         {"crowd", run_crowd},           {"iconv", run_iconv},
    {"recursion", run_recursion},   {"frames", run_frames},         {"jit", run_jit},
    {"forks", run_forks},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string path = argv[0];
  g_folder = path.substr(0, path.rfind('/') + 1);
  const std::string name = argc > 1 ? argv[1] : "";
  const unsigned long count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100000;
  for (const Case& each : kCases) {
    if (name == each.name) {
      std::printf("%lu turns\n", each.run(count));
      return 0;
    }
  }
  std::fprintf(stderr, "no case \"%s\"\n", name.c_str());
  return 2;
}
