#include "analyzer/symbolize/range_index.h"

#include <gtest/gtest.h>

namespace seep::symbolize {
namespace {

TEST(RangeIndex, FindsTheRangeThatHoldsAnAddress) {
  RangeIndex<char> index;
  index.add(30, 40, 'b');
  index.add(10, 20, 'a');
  index.seal();
  ASSERT_NE(index.find(10), nullptr);
  EXPECT_EQ(*index.find(10), 'a');
  EXPECT_EQ(*index.find(39), 'b');
}

TEST(RangeIndex, HasNothingOutsideOfTheRanges) {
  RangeIndex<char> index;
  index.add(10, 20, 'a');
  index.add(30, 40, 'b');
  index.seal();
  EXPECT_EQ(index.find(9), nullptr);
  EXPECT_EQ(index.find(20), nullptr);
  EXPECT_EQ(index.find(40), nullptr);
}

TEST(RangeIndex, FindsTheInnermostOfNestedRanges) {
  RangeIndex<char> index;
  index.add(10, 100, 'a');
  index.add(20, 30, 'b');
  index.add(20, 25, 'c');
  index.seal();
  EXPECT_EQ(*index.find(22), 'c');
  EXPECT_EQ(*index.find(27), 'b');
}

TEST(RangeIndex, FindsAnEnclosingRangeBehindTheOnesInside) {
  RangeIndex<char> index;
  index.add(10, 100, 'a');
  index.add(20, 30, 'b');
  index.add(40, 50, 'c');
  index.seal();
  EXPECT_EQ(*index.find(60), 'a');
}

TEST(RangeIndex, LeavesOutEmptyAndReversedRanges) {
  RangeIndex<char> index;
  index.add(10, 10, 'a');
  index.add(20, 15, 'b');
  index.seal();
  EXPECT_TRUE(index.empty());
}

}  // namespace
}  // namespace seep::symbolize
