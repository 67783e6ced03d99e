#include "cli/repeat.h"

#include <gtest/gtest.h>

namespace seep::cli {
namespace {

using Words = std::vector<std::string>;

TEST(WithWork, EveryPlaceGetsTheNumber) {
  EXPECT_EQ(with_work({"test", "{}", "--n={}00", "{}{}", "{ }"}, 8),
            (Words{"test", "8", "--n=800", "88", "{ }"}));
  EXPECT_EQ(with_work({"test"}, 2), (Words{"test"}));
}

TEST(WorkOf, Doubles) {
  EXPECT_EQ(work_of(0), 1U);
  EXPECT_EQ(work_of(1), 2U);
  EXPECT_EQ(work_of(kMostRepetitions - 1), 2048U);
}

}  // namespace
}  // namespace seep::cli
