#include "preload/runtime/arena.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace seep::runtime {
namespace {

TEST(MapPages, GivesZeroedPagesAndCountsThem) {
  const std::uint64_t before = mapped_bytes();
  auto* bytes = static_cast<unsigned char*>(map_pages(kPageBytes + 1));
  ASSERT_NE(nullptr, bytes);
  EXPECT_EQ(0U, reinterpret_cast<std::uintptr_t>(bytes) % kPageBytes);
  EXPECT_EQ(before + 2 * kPageBytes, mapped_bytes());
  EXPECT_TRUE(std::all_of(bytes, bytes + 2 * kPageBytes, [](unsigned char b) { return b == 0; }));
  unmap_pages(bytes, kPageBytes + 1);
  EXPECT_EQ(before, mapped_bytes());
}

TEST(MapPages, GivesNullWhenTheKernelHasNone) {
  const std::uint64_t before = mapped_bytes();
  EXPECT_EQ(nullptr, map_pages(std::size_t{1} << 62));
  EXPECT_EQ(before, mapped_bytes());
}

TEST(Arena, GivesAlignedZeroedMemoryThatDoesNotOverlap) {
  Arena arena(64 * 1024);
  std::vector<unsigned char*> pieces;
  for (std::size_t size = 1; size < 600; ++size) {
    auto* piece = static_cast<unsigned char*>(arena.allocate(size));
    ASSERT_NE(nullptr, piece);
    EXPECT_EQ(0U, reinterpret_cast<std::uintptr_t>(piece) % 16);
    EXPECT_TRUE(std::all_of(piece, piece + size, [](unsigned char b) { return b == 0; })) << size;
    std::memset(piece, static_cast<int>(size % 255 + 1), size);
    pieces.push_back(piece);
  }
  for (std::size_t size = 1; size < 600; ++size) {
    const unsigned char* piece = pieces[size - 1];
    const auto mark = static_cast<unsigned char>(size % 255 + 1);
    EXPECT_TRUE(std::all_of(piece, piece + size, [mark](unsigned char b) { return b == mark; }))
        << size;
  }
}

TEST(Arena, GivesHalfAChunkAtOnce) {
  Arena arena(64 * 1024);
  for (int i = 0; i < 10; ++i) {
    auto* piece = static_cast<char*>(arena.allocate(32 * 1024));
    ASSERT_NE(nullptr, piece);
    std::memset(piece, 1, 32 * 1024);  // faults if the piece runs over the end of its chunk
  }
}

TEST(Arena, ThreadsGetPiecesOfTheirOwn) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kPieces = 20000;
  Arena arena(64 * 1024);
  const std::uint64_t before = mapped_bytes();
  std::vector<std::vector<std::uint64_t*>> pieces(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&arena, &mine = pieces[t], t] {
      for (std::size_t i = 0; i < kPieces; ++i) {
        auto* piece = static_cast<std::uint64_t*>(arena.allocate(32));
        ASSERT_NE(nullptr, piece);
        EXPECT_EQ(0U, piece[0]);
        std::fill(piece, piece + 4, t * kPieces + i + 1);
        mine.push_back(piece);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (std::size_t t = 0; t < kThreads; ++t) {
    for (std::size_t i = 0; i < kPieces; ++i) {
      const std::uint64_t* piece = pieces[t][i];
      ASSERT_TRUE(std::all_of(piece, piece + 4,
                              [=](std::uint64_t word) { return word == t * kPieces + i + 1; }));
    }
  }
  EXPECT_LT(mapped_bytes() - before, 2 * kThreads * kPieces * 32) << "lost chunks are given back";
}

// Where the kernel has MADV_COLLAPSE and gives this process huge pages.
bool can_use_huge_pages() {
  constexpr int kMadvCollapse = 25;
  const auto begin = reinterpret_cast<std::uintptr_t>(map_pages(2 * kHugePageBytes));
  const std::uintptr_t aligned = (begin + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
  std::memset(reinterpret_cast<void*>(aligned), 1, kHugePageBytes);
  const bool can = madvise(reinterpret_cast<void*>(aligned), kHugePageBytes, kMadvCollapse) == 0;
  unmap_pages(reinterpret_cast<void*>(begin), 2 * kHugePageBytes);
  return can;
}

// Of this process, that stand on huge pages.
std::size_t bytes_on_huge_pages() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::string word;
  std::size_t kilobytes = 0;
  while (file >> word) {
    if (word == "AnonHugePages:") {
      file >> kilobytes;
    }
  }
  return kilobytes * 1024;
}

// What is full; the rest would take memory that is not in use.
TEST(Arena, PutsWhatIsFullOnHugePages) {
  constexpr std::size_t kBytes = 1024;
  Arena arena(kHugePageBytes / 2, kHugePageBytes);
  arena.use_huge_pages();  // of nothing
  std::vector<unsigned char*> pieces;
  for (std::size_t i = 0; i < 4 * kHugePageBytes / kBytes; ++i) {
    auto* piece = static_cast<unsigned char*>(arena.allocate(kBytes));
    ASSERT_NE(nullptr, piece);
    std::memset(piece, static_cast<int>(i % 251), kBytes);
    pieces.push_back(piece);
  }
  const std::size_t before = bytes_on_huge_pages();
  const std::uint64_t resident = resident_bytes();
  arena.use_huge_pages();
  if (can_use_huge_pages()) {
    EXPECT_GE(bytes_on_huge_pages(), before + 3 * kHugePageBytes);
  }
  EXPECT_LE(resident_bytes(), resident + 16 * kPageBytes);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const unsigned char* piece = pieces[i];
    ASSERT_TRUE(std::all_of(piece, piece + kBytes, [=](unsigned char b) { return b == i % 251; }));
  }
}

}  // namespace
}  // namespace seep::runtime
