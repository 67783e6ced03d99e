#include "preload/scan/chains.h"

#include <gtest/gtest.h>

#include <vector>

namespace seep::scan {
namespace {

using format::LinkKind;
using format::LinkRecord;

LinkRecord global(std::uint64_t offset) {
  return {static_cast<std::uint32_t>(LinkKind::kGlobal), 0, 3, 0, offset};
}

class WaysTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(ways_.map()); }

  // Its sites from the root on, which is given as 0.
  std::vector<std::uint32_t> sites_of(WayId way) const {
    LinkRecord links[Ways::kMostLinks];
    const unsigned count = ways_.list(way, links);
    std::vector<std::uint32_t> sites;
    for (unsigned i = 0; i < count; ++i) {
      sites.push_back(links[i].site);
    }
    return sites;
  }

  Ways ways_;
};

using List = std::vector<std::uint32_t>;

TEST_F(WaysTest, AreTheSameForTheSameHolders) {
  const WayId root = ways_.begin(global(8));
  EXPECT_EQ(ways_.begin(global(8)), root);
  EXPECT_NE(ways_.begin(global(16)), root);
  const WayId way = ways_.extend(ways_.extend(root, 5, 0), 6, 24);
  EXPECT_EQ(sites_of(way), (List{0, 5, 6}));
  EXPECT_EQ(ways_.extend(ways_.extend(root, 5, 40), 6, 0), way);
}

TEST_F(WaysTest, AListIsOneLink) {
  WayId way = ways_.begin(global(8));
  for (int i = 0; i < 10000; ++i) {
    way = ways_.extend(way, 7, 0);
  }
  EXPECT_EQ(sites_of(way), (List{0, 7}));
}

TEST_F(WaysTest, ACycleOfSitesIsCut) {
  WayId way = ways_.begin(global(8));
  for (const std::uint32_t site : {4, 5, 6, 5, 6, 5, 6, 7}) {
    way = ways_.extend(way, site, 0);
  }
  EXPECT_EQ(sites_of(way), (List{0, 4, 5, 6, 7}));
}

TEST_F(WaysTest, LongOnesAreCutAtTheInnerEnd) {
  WayId way = ways_.begin(global(8));
  for (std::uint32_t site = 1; site < 100; ++site) {
    way = ways_.extend(way, site, 0);
  }
  EXPECT_EQ(sites_of(way).size(), Ways::kMostLinks);
}

TEST_F(WaysTest, CountsAreSortedBySiteAndNumber) {
  WayCounts counts(ways_);
  ASSERT_TRUE(counts.map(10));
  counts.choose(3);
  counts.choose(5);
  ASSERT_EQ(ways_.begin(global(8)), 1U);
  ASSERT_EQ(ways_.begin(global(16)), 2U);
  counts.count(3, 2);
  counts.count(3, kUnknownWay);
  for (const WayId way : {1, 2, 2, 1, 2}) {
    counts.count(5, way);
    counts.count(4, way);  // not chosen
  }
  const auto& sorted = counts.sort();
  ASSERT_EQ(sorted.size(), 3U);
  EXPECT_EQ(sorted[0].site, 3U);
  EXPECT_EQ(sorted[0].blocks, 1U);
  EXPECT_EQ(sorted[1].holder, 2U);
  EXPECT_EQ(sorted[1].blocks, 3U);
  EXPECT_EQ(sorted[2].holder, 1U);
  EXPECT_EQ(sorted[2].blocks, 2U);
}

}  // namespace
}  // namespace seep::scan
