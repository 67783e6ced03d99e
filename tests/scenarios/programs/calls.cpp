// A function called many times, from two places; what it allocates on the way is of all kinds.
// Prints how often it was called.
//   calls once SECONDS       something once a call, three at one place, a leak in every 7th call
//   calls leak SECONDS       nothing but the leak, in every call
//   calls recursive SECONDS  the same as once, and it calls itself
//   calls queue SECONDS      something once a call, and a queue that makes room in every 64th
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

#include "samples/pace.h"

#define KEEP __attribute__((noinline))

namespace {

std::vector<void*> g_kept;

KEEP void* allocate(std::size_t bytes) {
  void* block = std::malloc(bytes);
  use(block);
  return block;
}

KEEP void read_body() {
  void* block = allocate(300);
  use(block);
  std::free(block);
}

KEEP void parse_headers() {
  for (int i = 0; i < 3; ++i) {
    void* block = allocate(40);
    use(block);
    std::free(block);
  }
}

KEEP void keep_some() {
  g_kept.push_back(allocate(70));
}

namespace work {

struct Server {
  KEEP void handle(unsigned long call, int depth) {
    read_body();
    parse_headers();
    if (call % 7 == 0) {
      keep_some();
    }
    if (depth > 0) {
      handle(call, depth - 1);
    }
    use(this);
  }
};

}  // namespace work

KEEP void leak_only() {
  keep_some();
  use(&g_kept);
}

std::deque<double> g_queue;  // as long as it ever is before the first call

// A chunk of 64 elements is made, and another one released, in every 64th call.
KEEP void remember(double value) {
  g_queue.push_back(value);
  g_queue.pop_front();
}

KEEP void handle_next(unsigned long call) {
  read_body();
  remember(static_cast<double>(call));
  use(&g_queue);
}

KEEP void from_here(work::Server& server, unsigned long call, int depth) {
  server.handle(call, depth);
  use(&server);
}

KEEP void from_there(work::Server& server, unsigned long call, int depth) {
  server.handle(call, depth);
  use(&server);
}

}  // namespace

int main(int argc, char** argv) {
  const bool leaks_only = argc > 1 && std::strcmp(argv[1], "leak") == 0;
  const int depth = argc > 1 && std::strcmp(argv[1], "recursive") == 0 ? 2 : 0;
  const bool queues = argc > 1 && std::strcmp(argv[1], "queue") == 0;
  g_kept.reserve(1000000);
  g_queue.resize(100);
  pace pace = start_pace(duration_argument(argc - 1, argv + 1), 100);
  work::Server server;
  unsigned long calls = 0;
  while (next_tick(&pace)) {
    for (unsigned long i = 0; i < 7 + pace.ticks_left % 40; ++i, ++calls) {
      if (leaks_only) {
        leak_only();
      } else if (queues) {
        handle_next(calls);
      } else if (calls % 3 == 0) {
        from_here(server, calls, depth);
      } else {
        from_there(server, calls, depth);
      }
    }
  }
  std::printf("%lu\n", calls);
}
