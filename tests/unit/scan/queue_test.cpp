// The queue of the marker, and the array of what is known of nodes: both grow.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "preload/scan/fifo.h"
#include "preload/scan/node_info.h"

namespace seep::scan {
namespace {

TEST(Fifo, GivesWhatItWasGivenInOrder) {
  Fifo<std::uint64_t> queue;
  ASSERT_TRUE(queue.map());
  std::uint64_t pushed = 0;
  std::uint64_t popped = 0;
  for (const int most : {1, 3, 1000000, 0, 262143, 262143, 700000, 0}) {  // of 262,143 a segment
    while (pushed - popped < static_cast<std::uint64_t>(most)) {
      ASSERT_TRUE(queue.push(pushed++));
    }
    while (pushed - popped > static_cast<std::uint64_t>(most) / 2) {
      if (const std::uint64_t* next = queue.peek(16); next != nullptr) {
        ASSERT_EQ(*next, popped + 16);
      }
      ASSERT_FALSE(queue.empty());
      ASSERT_EQ(queue.pop(), popped++);
    }
  }
  EXPECT_TRUE(queue.empty());
}

TEST(Fifo, SaysWhenItHasNoRoom) {
  Fifo<std::uint64_t> queue;
  ASSERT_TRUE(queue.map());
  queue.limit_for_testing(2);
  std::uint64_t room = 0;
  while (queue.push(room)) {
    ++room;
  }
  EXPECT_EQ(room, 2 * 262143U);
  for (std::uint64_t i = 0; i < room; ++i) {
    ASSERT_EQ(queue.pop(), i);
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.push(7));
  EXPECT_EQ(queue.pop(), 7U);
}

NodeInfo info(std::uint32_t site) {
  return NodeInfo({0, site * std::uint64_t{3}, site, 0});
}

TEST(NodeInfos, HoldSizeAndSite) {
  const NodeInfo largest =
      NodeInfo({0, NodeInfo::kUnknownSize - 1, table::AddressTable::kMaxSite, 0})
          .with((1U << NodeInfo::kFreeBits) - 1);
  EXPECT_EQ(largest.size(), NodeInfo::kUnknownSize - 1);
  EXPECT_EQ(largest.site(), table::AddressTable::kMaxSite);
  EXPECT_EQ(largest.value(), (1U << NodeInfo::kFreeBits) - 1);
  EXPECT_EQ(NodeInfo({0, std::uint64_t{5} << 30, 1, 0}).size(), NodeInfo::kUnknownSize);
}

// Also where a segment ends.
TEST(NodeInfos, MakeRoomNearTheEnd) {
  constexpr std::uint32_t kInfos = 600000;
  NodeInfos infos;
  ASSERT_TRUE(infos.map());
  for (std::uint32_t i = 0; i < kInfos; i += 4) {  // the middle two the wrong way round
    ASSERT_TRUE(infos.insert(i, info(i)));
    ASSERT_TRUE(infos.insert(i + 1, info(i + 2)));
    ASSERT_TRUE(infos.insert(i + 1, info(i + 1)));
    ASSERT_TRUE(infos.insert(i + 3, info(i + 3)));
  }
  for (std::uint32_t i = 0; i < kInfos; ++i) {
    ASSERT_EQ(infos[i].site(), i);
    ASSERT_EQ(infos[i].size(),
              std::min<std::uint64_t>(i * std::uint64_t{3}, NodeInfo::kUnknownSize));
  }
}

}  // namespace
}  // namespace seep::scan
