// seep_figures_cold_rules LIBRARY COUNT
//
// The rules of COUNT functions of a library that was just opened, each read for the first time and
// kept, as a capture does it: "rule_ns N" is the thread's time for one, "rules N" how many were
// found. COUNT is at most what the library has. The functions are spread over all of it.
#include <dlfcn.h>
#include <link.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "preload/stack/cfi.h"
#include "preload/stack/modules.h"
#include "preload/stack/rule_cache.h"

namespace {

namespace stack = seep::stack;

double thread_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The first instruction of the function that this entry of the search table is for.
std::uint64_t address_at(const stack::UnwindTables& tables, std::uint32_t entry) {
  std::int32_t distance = 0;
  std::memcpy(&distance, tables.table + std::size_t{entry} * 8, sizeof(distance));
  return reinterpret_cast<std::uint64_t>(tables.header) + distance;
}

bool read_and_keep(std::uint64_t pc) {
  const stack::Place place = stack::find_place(pc);
  stack::Rule rule;
  if (place.load == nullptr || !stack::is_intact(*place.load) ||
      !stack::find_rule(place.load->image.tables, pc, rule)) {
    return false;
  }
  stack::remember_rule(pc, *place.load, stack::compact(rule));
  return true;
}

const stack::Load* open_library(const char* path) {
  void* handle = dlopen(path, RTLD_LAZY);
  link_map* map = nullptr;
  if (handle == nullptr || dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&map)) != 0) {
    return nullptr;
  }
  stack::refresh_modules();
  for (unsigned id = 1; id <= stack::module_count(); ++id) {
    const stack::Load& load = stack::load_of(*stack::module_at(id));
    if (load.image.bias == map->l_addr) {
      return &load;
    }
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s LIBRARY COUNT\n", argv[0]);
    return 2;
  }
  const stack::Load* load = open_library(argv[1]);
  if (load == nullptr || load->image.tables.table_entries == 0) {
    std::fprintf(stderr, "%s: cannot be opened, or has no table of its functions\n", argv[1]);
    return 1;
  }
  const stack::UnwindTables& tables = load->image.tables;
  std::uint64_t count = std::strtoul(argv[2], nullptr, 10);
  count = count < tables.table_entries ? count : tables.table_entries;
  constexpr std::uint64_t kStride = 7919;  // a prime: no order that a prefetcher would know
  unsigned found = 0;
  const double begin = thread_ns();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t entry = i * kStride % count * tables.table_entries / count;
    found += read_and_keep(address_at(tables, static_cast<std::uint32_t>(entry))) ? 1U : 0U;
  }
  std::printf("rule_ns %.1f\nrules %u\n", (thread_ns() - begin) / static_cast<double>(count),
              found);
  return 0;
}
