#include "analyzer/model/theil_sen.h"

#include <gtest/gtest.h>

#include <vector>

namespace seep::model {
namespace {

double slope(const std::vector<double>& t, const std::vector<double>& y) {
  return theil_sen_slope(t, y);
}

TEST(TheilSen, GivesTheSlopeOfALine) {
  EXPECT_DOUBLE_EQ(slope({0, 1, 2, 5}, {1, 3, 5, 11}), 2);
  EXPECT_DOUBLE_EQ(slope({0, 1, 2}, {9, 6, 3}), -3);
  EXPECT_DOUBLE_EQ(slope({0, 1, 2}, {4, 4, 4}), 0);
}

TEST(TheilSen, IsTheMedianOfAllPairs) {
  // Slopes of the pairs: 1, 4, 2 (odd); and 1, 2, 3, 3, 4, 5 (even).
  EXPECT_DOUBLE_EQ(slope({0, 1, 3}, {0, 1, 6}), 2);
  EXPECT_DOUBLE_EQ(slope({0, 1, 2, 3}, {0, 1, 4, 9}), 3);
  EXPECT_DOUBLE_EQ(slope({0, 1, 2, 4}, {0, 0, 1, 1}), 0.29166666666666663);
}

TEST(TheilSen, AFewWildPointsDoNotMoveIt) {
  std::vector<double> t;
  std::vector<double> y;
  for (int i = 0; i < 40; ++i) {
    t.push_back(i);
    y.push_back(i % 5 == 2 ? 1e9 : 3.0 * i);
  }
  EXPECT_NEAR(slope(t, y), 3, 0.1);
}

TEST(TheilSen, PairsAtTheSameTimeAreLeftOut) {
  EXPECT_DOUBLE_EQ(slope({1, 1, 2}, {0, 0, 5}), 5);
  EXPECT_DOUBLE_EQ(slope({1, 1}, {0, 7}), 0);
}

TEST(TheilSen, TooFewPointsGiveZero) {
  EXPECT_DOUBLE_EQ(slope({}, {}), 0);
  EXPECT_DOUBLE_EQ(slope({1}, {5}), 0);
}

TEST(TheilSen, ManyPointsAreThinnedEvenly) {
  std::vector<double> t;
  std::vector<double> y;
  for (int i = 0; i < 4096; ++i) {
    t.push_back(i);
    y.push_back(0.5 * i);
  }
  EXPECT_DOUBLE_EQ(slope(t, y), 0.5);
}

}  // namespace
}  // namespace seep::model
