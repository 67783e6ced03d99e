// Makes a known number of blocks with every allocation function, each in a site function of its
// own, on several threads at once; frees some of them. tests/scenarios/counting_test.cpp holds the
// report against these figures, so they are arguments: BLOCKS FREED THREADS.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr std::size_t kBytes = 96;
constexpr std::size_t kPage = 4096;
constexpr std::align_val_t kAlignment{64};

struct Site {
  void* (*make)();
  void (*drop)(void*);
};

#define SITE(name, expression)          \
  SAMPLE_FUNCTION void* site_##name() { \
    void* block = (expression);         \
    use(block);                         \
    return block;                       \
  }

SITE(malloc, std::malloc(kBytes))
SITE(calloc, std::calloc(4, kBytes / 4))
SITE(realloc_null, std::realloc(nullptr, kBytes))
SITE(reallocarray, reallocarray(nullptr, 4, kBytes / 4))
SITE(aligned_alloc, std::aligned_alloc(32, kBytes))
SITE(memalign, memalign(64, kBytes))
SITE(valloc, valloc(kPage))
SITE(pvalloc, pvalloc(kPage))
SITE(new, ::operator new(kBytes))
SITE(new_array, ::operator new[](kBytes))
SITE(new_nothrow, ::operator new(kBytes, std::nothrow))
SITE(new_array_nothrow, ::operator new[](kBytes, std::nothrow))
SITE(new_aligned, ::operator new(kBytes, kAlignment))
SITE(new_array_aligned, ::operator new[](kBytes, kAlignment))
SITE(new_aligned_nothrow, ::operator new(kBytes, kAlignment, std::nothrow))
SITE(new_array_aligned_nothrow, ::operator new[](kBytes, kAlignment, std::nothrow))

SAMPLE_FUNCTION void* site_posix_memalign() {
  void* block = nullptr;
  if (posix_memalign(&block, 64, kBytes) != 0) {
    std::abort();
  }
  use(block);
  return block;
}

// The block that realloc replaces is made elsewhere: it must not be counted here.
SAMPLE_FUNCTION void* start_small() {
  void* block = std::malloc(16);
  use(block);
  return block;
}

SAMPLE_FUNCTION void* site_realloc() {
  void* block = std::realloc(start_small(), kBytes);
  use(block);
  return block;
}

const Site kSites[] = {
    {site_malloc, std::free},
    {site_calloc, std::free},
    {site_realloc_null, std::free},
    {site_realloc, [](void* block) { use(std::realloc(block, 0)); }},
    {site_reallocarray, std::free},
    {site_posix_memalign, std::free},
    {site_aligned_alloc, std::free},
    {site_memalign, std::free},
    {site_valloc, std::free},
    {site_pvalloc, std::free},
    {site_new, [](void* block) { ::operator delete(block); }},
    {site_new_array, [](void* block) { ::operator delete[](block, kBytes); }},
    {site_new_nothrow, [](void* block) { ::operator delete(block, std::nothrow); }},
    {site_new_array_nothrow, [](void* block) { ::operator delete[](block, std::nothrow); }},
    {site_new_aligned, [](void* block) { ::operator delete(block, kBytes, kAlignment); }},
    {site_new_array_aligned, [](void* block) { ::operator delete[](block, kAlignment); }},
    {site_new_aligned_nothrow,
     [](void* block) { ::operator delete(block, kAlignment, std::nothrow); }},
    {site_new_array_aligned_nothrow,
     [](void* block) { ::operator delete[](block, kAlignment, std::nothrow); }},
};

void make_and_drop(const Site& site, unsigned blocks, unsigned freed) {
  std::vector<void*> made(blocks);
  for (void*& block : made) {
    block = site.make();
  }
  for (unsigned i = 0; i < freed; ++i) {
    site.drop(made[i]);
  }
}

void visit_all_sites(unsigned blocks, unsigned freed) {
  for (const Site& site : kSites) {
    make_and_drop(site, blocks, freed);
  }
}

char* map_pages(std::size_t pages) {
  void* start =
      mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  use(start);
  return static_cast<char*>(start);
}

// 10 pages, 2 unmapped in the middle, 1 at the end: 7 left.
SAMPLE_FUNCTION void site_partial_munmap() {
  char* start = map_pages(10);
  munmap(start + 4 * kPage, 2 * kPage);
  munmap(start + 9 * kPage, kPage);
}

// 4 pages made 12 by mremap, then 6: 6 left.
SAMPLE_FUNCTION void site_mremap() {
  void* grown = mremap(map_pages(4), 4 * kPage, 12 * kPage, MREMAP_MAYMOVE);
  void* shrunk = mremap(grown, 12 * kPage, 6 * kPage, 0);
  use(shrunk);
}

SAMPLE_FUNCTION void site_munmap() {
  char* start = map_pages(8);
  munmap(start, 8 * kPage);
}

SAMPLE_FUNCTION void site_failed_realloc() {
  void* block = std::malloc(kBytes);
  use(block);
  volatile std::size_t too_much = SIZE_MAX / 4;
  if (std::realloc(block, too_much) != nullptr) {
    std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    return 2;
  }
  const auto blocks = static_cast<unsigned>(std::atoi(argv[1]));
  const auto freed = static_cast<unsigned>(std::atoi(argv[2]));
  std::vector<std::thread> threads(static_cast<std::size_t>(std::atoi(argv[3])));
  for (std::thread& thread : threads) {
    thread = std::thread(visit_all_sites, blocks, freed);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  site_partial_munmap();
  site_mremap();
  site_munmap();
  site_failed_realloc();
}
