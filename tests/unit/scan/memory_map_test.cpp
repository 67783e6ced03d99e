#include "preload/scan/memory_map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "preload/runtime/arena.h"

namespace seep::scan {
namespace {

constexpr std::size_t kPage = 4096;

class Memory : public ::testing::Test {
 protected:
  char* map(std::size_t pages, int flags, int fd = -1) {
    void* begin = mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, flags, fd, 0);
    EXPECT_NE(begin, MAP_FAILED);
    return static_cast<char*>(begin);
  }
  // Which pages of [begin, begin + pages) are given.
  std::vector<std::size_t> written(const char* begin, std::size_t pages) {
    MemoryMap memory;
    EXPECT_TRUE(memory.read());
    const auto first = reinterpret_cast<std::uintptr_t>(begin);
    std::vector<std::size_t> found;
    memory.visit_written(first, first + pages * kPage, [&](std::uintptr_t from, std::uintptr_t) {
      found.push_back((from - first) / kPage);
    });
    return found;
  }
};

using List = std::vector<std::size_t>;

TEST_F(Memory, PagesThatWereNeverWrittenAreLeftOut) {
  char* memory = map(1000, MAP_PRIVATE | MAP_ANONYMOUS);
  madvise(memory, 1000 * kPage, MADV_NOHUGEPAGE);
  EXPECT_EQ(written(memory, 1000), List{});
  memory[700 * kPage] = 1;
  memory[3 * kPage + 5] = 1;
  EXPECT_EQ(written(memory, 1000), (List{3, 700}));
}

TEST_F(Memory, PagesOfAFileAreLeftOutUntilTheyAreChanged) {
  char name[] = "/tmp/seep-memory-map-XXXXXX";
  const int file = mkstemp(name);
  ASSERT_EQ(ftruncate(file, 4 * kPage), 0);
  char* memory = map(4, MAP_PRIVATE, file);
  volatile char seen = memory[kPage];
  (void)seen;
  EXPECT_EQ(written(memory, 4), List{});
  memory[2 * kPage] = 1;
  EXPECT_EQ(written(memory, 4), List{2});
  ASSERT_EQ(mprotect(memory, 4 * kPage, PROT_READ), 0);
  EXPECT_EQ(written(memory, 4), List{2});
  unlink(name);
  close(file);
}

TEST_F(Memory, WhatIsSharedWithAFileIsNotRead) {
  char name[] = "/tmp/seep-memory-map-XXXXXX";
  const int file = mkstemp(name);
  ASSERT_EQ(ftruncate(file, 4 * kPage), 0);
  char* memory = map(4, MAP_SHARED, file);
  memory[0] = 1;
  EXPECT_EQ(written(memory, 4), List{});
  unlink(name);
  close(file);
}

TEST_F(Memory, SharedMemoryIsRead) {
  char* memory = map(4, MAP_SHARED | MAP_ANONYMOUS);
  memory[2 * kPage] = 1;
  EXPECT_EQ(written(memory, 4), List{2});
}

// It may lie where realloc left a hole, beside what is the program's.
TEST_F(Memory, WhatIsOurOwnIsLeftOut) {
  char* above = map(2, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  auto* own = static_cast<char*>(runtime::map_pages(3 * kPage));
  ASSERT_NE(own, nullptr);
  char* below = map(2, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  memset(above, 1, 2 * kPage);
  memset(own, 1, 3 * kPage);
  memset(below, 1, 2 * kPage);
  EXPECT_EQ(written(above, 2), (List{0, 1}));
  EXPECT_EQ(written(own, 3), List{});
  EXPECT_EQ(written(below, 2), (List{0, 1}));
  runtime::unmap_pages(own, 3 * kPage);
}

TEST_F(Memory, WhatCannotBeReadIsLeftOut) {
  char* memory = map(4, MAP_PRIVATE | MAP_ANONYMOUS);
  for (std::size_t page = 0; page < 4; ++page) {
    memory[page * kPage] = 1;
  }
  ASSERT_EQ(mprotect(memory + kPage, kPage, PROT_NONE), 0);
  EXPECT_EQ(written(memory, 4), (List{0, 2, 3}));
  // A short block that reaches into it.
  MemoryMap map;
  ASSERT_TRUE(map.read());
  const auto first = reinterpret_cast<std::uintptr_t>(memory);
  map.note_holes(first, first + 4 * kPage);
  std::size_t bytes = 0;
  map.visit_block(first + 100, first + 2 * kPage + 100,
                  [&](std::uintptr_t from, std::uintptr_t to) { bytes += to - from; });
  EXPECT_EQ(bytes, kPage - 100 + 100);
}

}  // namespace
}  // namespace seep::scan
