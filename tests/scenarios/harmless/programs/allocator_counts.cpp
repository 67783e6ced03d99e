// Makes BLOCKS blocks with each function that every allocator has, each in a site function of its
// own, in three threads; frees a third of them, half of these in another thread. Prints how the
// allocator is called whose malloc it got.
// usage: allocator_counts BLOCKS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr std::size_t kBytes = 96;
constexpr std::align_val_t kAlignment{64};

#define SITE(name, expression)          \
  SAMPLE_FUNCTION void* site_##name() { \
    void* block = (expression);         \
    use(block);                         \
    return block;                       \
  }
SITE(malloc, std::malloc(kBytes))
SITE(calloc, std::calloc(4, kBytes / 4))
SITE(reallocarray, reallocarray(nullptr, 4, kBytes / 4))
SITE(aligned_alloc, std::aligned_alloc(32, kBytes))
SITE(memalign, memalign(64, kBytes))
SITE(new, ::operator new(kBytes))
SITE(new_array, ::operator new[](kBytes))
SITE(new_nothrow, ::operator new(kBytes, std::nothrow))
SITE(new_aligned, ::operator new(kBytes, kAlignment))

SAMPLE_FUNCTION void* site_posix_memalign() {
  void* block = nullptr;
  if (posix_memalign(&block, 64, kBytes) != 0) {
    std::abort();
  }
  use(block);
  return block;
}
SAMPLE_FUNCTION void* site_realloc() {
  void* block = std::realloc(std::malloc(10), kBytes);
  use(block);
  return block;
}
SAMPLE_FUNCTION void* site_reallocarray_grown() {
  void* block = reallocarray(std::calloc(1, 10), 12, kBytes / 12);
  use(block);
  return block;
}

struct Site {
  void* (*make)();
  void (*drop)(void*);
};
const Site kSites[] = {
    {site_malloc, std::free},
    {site_calloc, std::free},
    {site_reallocarray, std::free},
    {site_aligned_alloc, std::free},
    {site_memalign, std::free},
    {site_posix_memalign, std::free},
    {site_realloc, [](void* block) { use(std::realloc(block, 0)); }},
    {site_reallocarray_grown, std::free},
    {site_new, [](void* block) { ::operator delete(block, kBytes); }},
    {site_new_array, [](void* block) { ::operator delete[](block); }},
    {site_new_nothrow, [](void* block) { ::operator delete(block, std::nothrow); }},
    {site_new_aligned, [](void* block) { ::operator delete(block, kBytes, kAlignment); }},
};

void make_and_drop(unsigned count) {
  for (const Site& site : kSites) {
    std::vector<void*> blocks(count);
    for (void*& block : blocks) {
      block = site.make();
      std::memset(block, 1, kBytes);
    }
    for (unsigned i = 0; i < count / 6; ++i) {
      site.drop(blocks[i]);
    }
    std::thread([&] {
      for (unsigned i = count / 6; i < count / 3; ++i) {
        site.drop(blocks[i]);
      }
    }).join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = static_cast<unsigned>(argc > 1 ? std::atoi(argv[1]) : 0);
  std::thread threads[3];
  for (std::thread& thread : threads) {
    thread = std::thread(make_and_drop, count);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const char* name = "libc";
  if (dlsym(RTLD_DEFAULT, "mallctl") != nullptr) {
    name = "jemalloc";
  } else if (dlsym(RTLD_DEFAULT, "tc_malloc") != nullptr) {
    name = "tcmalloc";
  } else if (dlsym(RTLD_DEFAULT, "mi_malloc") != nullptr) {
    name = "mimalloc";
  }
  std::printf("%s: done\n", name);
}
