#include "format/losses.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace seep::format {
namespace {

// The reader, the JSON and the control page use a loss's id as an index.
TEST(Losses, IdsAreTheirPositions) {
  for (std::uint32_t i = 0; i < kLossCount; ++i) {
    EXPECT_EQ(static_cast<std::uint32_t>(kLossNames[i].loss), i) << kLossNames[i].name;
  }
}

TEST(Losses, NamesDiffer) {
  std::set<std::string> names;
  for (const LossName& name : kLossNames) {
    EXPECT_TRUE(names.insert(name.name).second) << name.name;
  }
}

}  // namespace
}  // namespace seep::format
