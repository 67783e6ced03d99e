// Leaks that sites must be grouped for: causes MODE SECONDS.
//   fifty      one leak that fifty functions reach
//   two        two leaks with one caller, through one allocator wrapper
//   prefix     the same, through a function that only its callers show to be a wrapper
//   container  an entry, the string in it and the table that holds it
//   parts      a record, and the columns that another function makes for each
//   beside     a leak, and another in a function that it calls every third time
//   helper     a function that leaks through a helper whose other callers release what they get
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "samples/pace.h"

namespace {

constexpr unsigned kTicks = 1000;

void* volatile g_last;

SAMPLE_FUNCTION void* xmalloc_or_die(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) {
    std::abort();
  }
  use(memory);
  return memory;
}

SAMPLE_FUNCTION void open_session(unsigned long tick) {
  g_last = std::malloc(100 + tick % 7);
}

template <int kNumber>
SAMPLE_FUNCTION void handle(unsigned long tick) {
  open_session(tick);
  use(&tick);
}

using Handler = void (*)(unsigned long);

template <int... kNumbers>
SAMPLE_FUNCTION void dispatch(unsigned long tick, std::integer_sequence<int, kNumbers...>) {
  static const Handler kHandlers[] = {handle<kNumbers>...};
  kHandlers[tick % sizeof...(kNumbers)](tick);
  use(&tick);
}

SAMPLE_FUNCTION void leak_header() {
  g_last = xmalloc_or_die(64);
}

SAMPLE_FUNCTION void leak_body() {
  g_last = xmalloc_or_die(640);
}

SAMPLE_FUNCTION void serve(unsigned long tick) {
  leak_header();
  if (tick % 3 == 0) {
    leak_body();
  }
  use(&tick);
}

SAMPLE_FUNCTION void* record_malloc(std::size_t size) {
  void* memory = std::malloc(size);
  use(memory);
  return memory;
}

SAMPLE_FUNCTION void leak_index() {
  g_last = record_malloc(64);
}

SAMPLE_FUNCTION void leak_row(unsigned long tick) {
  if (tick % 2 == 0) {
    g_last = record_malloc(640);
  }
}

std::unordered_map<unsigned long, std::string> g_names;

SAMPLE_FUNCTION void remember(unsigned long tick) {
  g_names[tick] = "a name that is too long to be kept in the string itself";
}

SAMPLE_FUNCTION void make_columns() {
  for (int i = 0; i < 3; ++i) {
    g_last = std::malloc(100);
    use(g_last);
  }
}

SAMPLE_FUNCTION void make_record() {
  g_last = std::malloc(40);
  make_columns();
  use(g_last);
}

SAMPLE_FUNCTION void refresh_index() {
  g_last = std::malloc(500);
  use(g_last);
}

SAMPLE_FUNCTION void note_change(unsigned long tick) {
  g_last = std::malloc(40);
  if (tick % 3 == 0) {
    refresh_index();
  }
  use(g_last);
}

SAMPLE_FUNCTION char* make_buffer(std::size_t size) {
  auto* buffer = static_cast<char*>(std::malloc(size));
  std::memset(buffer, 0, size);
  use(buffer);
  return buffer;
}

SAMPLE_FUNCTION void read_and_release() {
  char* buffer = make_buffer(300);
  use(buffer);
  std::free(buffer);
}

SAMPLE_FUNCTION void keep_for_ever() {
  g_last = make_buffer(50);
}

void work(const std::string& mode, unsigned long tick) {
  if (mode == "fifty") {
    dispatch(tick, std::make_integer_sequence<int, 50>());
  } else if (mode == "two") {
    serve(tick);
  } else if (mode == "prefix") {
    leak_index();
    leak_row(tick);
  } else if (mode == "parts") {
    make_record();
  } else if (mode == "beside") {
    note_change(tick);
  } else if (mode == "container") {
    remember(tick);
  } else if (tick % 5 != 0) {
    read_and_release();
  } else {
    keep_for_ever();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "fifty";
  pace pace = start_pace(duration_argument(argc - 1, argv + 1), kTicks);
  unsigned long tick = 0;
  while (next_tick(&pace)) {
    work(mode, tick++);
  }
  std::printf("%lu ticks\n", tick);
}
