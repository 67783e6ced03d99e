// Makes COUNT blocks of each size from 1 to 15 bytes with malloc, calloc and new, and frees every
// third. Allocators may put two blocks of 8 bytes into 16. Prints whether each held what was
// written into it.
// usage: tiny_blocks COUNT
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr std::size_t kMostBytes = 15;

SAMPLE_FUNCTION char* site_malloc(std::size_t size) {
  char* block = static_cast<char*>(std::malloc(size));
  use(block);
  return block;
}
SAMPLE_FUNCTION char* site_calloc(std::size_t size) {
  char* block = static_cast<char*>(std::calloc(size, 1));
  use(block);
  return block;
}
SAMPLE_FUNCTION char* site_new(std::size_t size) {
  char* block = static_cast<char*>(::operator new(size));
  use(block);
  return block;
}

struct Site {
  char* (*make)(std::size_t size);
  void (*drop)(void* block, std::size_t size);
};
const Site kSites[] = {
    {site_malloc, [](void* block, std::size_t) { std::free(block); }},
    {site_calloc, [](void* block, std::size_t) { std::free(block); }},
    {site_new, [](void* block, std::size_t size) { ::operator delete(block, size); }},
};

unsigned make_and_drop(const Site& site, std::size_t size, unsigned count) {
  std::vector<char*> blocks(count);
  unsigned wrong = 0;
  for (unsigned i = 0; i < count; ++i) {
    blocks[i] = site.make(size);
    std::memset(blocks[i], static_cast<int>(i % 128), size);
  }
  for (unsigned i = 0; i < count; ++i) {
    wrong += blocks[i][0] != static_cast<char>(i % 128) ? 1 : 0;
    wrong += blocks[i][size - 1] != static_cast<char>(i % 128) ? 1 : 0;
    if (i % 3 == 0) {
      site.drop(blocks[i], size);
    }
  }
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = static_cast<unsigned>(argc > 1 ? std::atoi(argv[1]) : 0);
  unsigned wrong = 0;
  for (const Site& site : kSites) {
    for (std::size_t size = 1; size <= kMostBytes; ++size) {
      wrong += make_and_drop(site, size, count);
    }
  }
  std::printf("wrong %u\n", wrong);
}
