#include "preload/table/range_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace seep::table {
namespace {

constexpr std::uint32_t kNoSplit = 0;

struct Piece {
  std::uintptr_t begin;
  std::uintptr_t end;
  std::uint32_t site;
  bool operator==(const Piece&) const = default;
};

std::vector<Piece> pieces_of(RangeTable& table) {
  std::vector<Piece> pieces;
  EXPECT_TRUE(table.walk([&](const Range& range) {
    pieces.push_back({range.begin, range.end, range.site});
  }));
  return pieces;
}

class Ranges : public testing::Test {
 protected:
  void insert(std::uintptr_t begin, std::uintptr_t end, std::uint32_t site) {
    split_ = kNoSplit;
    ASSERT_TRUE(table_.insert({begin, end, site, 0}, split_));
  }
  void remove(std::uintptr_t begin, std::uintptr_t end) {
    split_ = kNoSplit;
    ASSERT_TRUE(table_.remove(begin, end, split_));
  }

  RangeTable table_;
  std::uint32_t split_ = kNoSplit;
};

TEST_F(Ranges, AreKeptInAscendingOrder) {
  insert(300, 400, 3);
  insert(100, 200, 1);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 200, 1}, {300, 400, 3}}));
}

TEST_F(Ranges, AreCutAtEitherEnd) {
  insert(100, 400, 1);
  remove(100, 200);
  remove(300, 500);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{200, 300, 1}}));
  EXPECT_EQ(split_, kNoSplit);
}

TEST_F(Ranges, AreCutInTwoAndSayWhichSiteHasOneMore) {
  insert(100, 400, 7);
  remove(200, 300);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 200, 7}, {300, 400, 7}}));
  EXPECT_EQ(split_, 7U);
}

TEST_F(Ranges, AreReplacedByWhatIsMappedOverThem) {
  insert(100, 200, 1);
  insert(200, 300, 2);
  insert(300, 400, 3);
  insert(150, 350, 4);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 150, 1}, {150, 350, 4}, {350, 400, 3}}));
}

TEST_F(Ranges, OfNobodyAreRemovedWithoutEffect) {
  insert(100, 200, 1);
  remove(200, 300);
  remove(0, 100);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 200, 1}}));
}

TEST_F(Ranges, AreFoundByAnyAddressInside) {
  insert(100, 200, 1);
  Range found;
  EXPECT_TRUE(table_.find(100, found));
  EXPECT_TRUE(table_.find(199, found));
  EXPECT_EQ(found.site, 1U);
  EXPECT_FALSE(table_.find(200, found));
  EXPECT_FALSE(table_.find(99, found));
}

// The lock is tried for a bounded time: whoever is above its holder gets an answer.
TEST_F(Ranges, GiveUpInsteadOfWaitingForTheHolder) {
  insert(100, 200, 1);
  table_.walk([&](const Range&) {
    Range found;
    EXPECT_FALSE(table_.find(100, found));
    EXPECT_FALSE(table_.remove(100, 200, split_));
  });
  EXPECT_EQ(pieces_of(table_).size(), 1U);
}

TEST_F(Ranges, AgreeWithAnArrayOverRandomEvents) {
  constexpr std::size_t kPages = 400;
  std::vector<std::uint32_t> expected(kPages, 0);
  std::mt19937 random(1);
  for (std::uint32_t event = 1; event < 20'000; ++event) {
    const std::size_t begin = random() % (kPages - 1);
    const std::size_t end = begin + 1 + random() % std::min<std::size_t>(20, kPages - begin - 1);
    const bool map = random() % 2 == 0;
    map ? insert(begin, end, event) : remove(begin, end);
    std::fill(expected.begin() + begin, expected.begin() + end, map ? event : 0);
  }
  std::vector<std::uint32_t> found(kPages, 0);
  for (const Piece& piece : pieces_of(table_)) {
    std::fill(found.begin() + piece.begin, found.begin() + piece.end, piece.site);
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace seep::table
