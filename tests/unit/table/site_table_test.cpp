#include "preload/table/site_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace seep::table {
namespace {

using format::SiteKind;

TEST(SiteTable, GivesAStackAndAKindOneIdForEver) {
  const auto table = std::make_unique<SiteTable>();
  const std::uint32_t heap = table->find_or_add(5, SiteKind::kHeap);
  const std::uint32_t map = table->find_or_add(5, SiteKind::kMmap);
  EXPECT_NE(heap, SiteTable::kNone);
  EXPECT_NE(heap, map);
  EXPECT_EQ(table->find_or_add(5, SiteKind::kHeap), heap);
  EXPECT_EQ(table->site(heap).node, 5U);
  EXPECT_EQ(table->site(map).kind, static_cast<std::uint32_t>(SiteKind::kMmap));
  EXPECT_EQ(table->count(), 3U);
}

TEST(SiteTable, TakesTheStackThatCouldNotBeRecordedForASiteLikeOthers) {
  const auto table = std::make_unique<SiteTable>();
  EXPECT_NE(table->find_or_add(0, SiteKind::kHeap), SiteTable::kNone);
}

TEST(SiteTable, ThreadsThatMeetAtAStackGetTheSameId) {
  const auto table = std::make_unique<SiteTable>();
  constexpr std::uint32_t kNodes = 20'000;
  std::vector<std::vector<std::uint32_t>> ids(4, std::vector<std::uint32_t>(kNodes));
  std::vector<std::thread> threads;
  for (auto& mine : ids) {
    threads.emplace_back([&table, &mine] {
      for (std::uint32_t node = 0; node < kNodes; ++node) {
        mine[node] = table->find_or_add(node, SiteKind::kHeap);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_EQ(ids[0], ids[3]);
  EXPECT_EQ(std::set<std::uint32_t>(ids[0].begin(), ids[0].end()).size(), kNodes);
}

}  // namespace
}  // namespace seep::table
