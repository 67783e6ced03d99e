#include "preload/table/last_nodes.h"

#include <gtest/gtest.h>

#include <memory>

namespace seep::table {
namespace {

TEST(LastNodes, KnowNothingAtFirst) {
  const auto nodes = std::make_unique<LastNodes>();
  for (std::uint32_t i = 1; i < 5000; ++i) {
    EXPECT_EQ(nodes->find(i, i), StackTable::kRoot);
    EXPECT_EQ(nodes->find(i, 0), StackTable::kRoot);
  }
}

TEST(LastNodes, TellFramesAndCallersApart) {
  const auto nodes = std::make_unique<LastNodes>();
  nodes->keep(7, 3, 42);
  EXPECT_EQ(nodes->find(7, 3), 42U);
  EXPECT_EQ(nodes->find(7, 4), StackTable::kRoot);
  EXPECT_EQ(nodes->find(8, 3), StackTable::kRoot);
  EXPECT_EQ(nodes->find(3, 7), StackTable::kRoot);
}

// More than there is room for: what is found is right, and the last ones are mostly there.
TEST(LastNodes, OfManyGiveTheRightOneOrNone) {
  const auto nodes = std::make_unique<LastNodes>();
  unsigned found = 0;
  for (std::uint32_t caller = 1; caller <= 100; ++caller) {
    for (std::uint32_t frame = 0; frame < 100; ++frame) {
      nodes->keep(caller, frame, caller * 1000 + frame);
    }
  }
  for (std::uint32_t caller = 1; caller <= 100; ++caller) {
    for (std::uint32_t frame = 0; frame < 100; ++frame) {
      const std::uint32_t node = nodes->find(caller, frame);
      found += node == caller * 1000 + frame ? 1 : 0;
      EXPECT_TRUE(node == StackTable::kRoot || node == caller * 1000 + frame);
    }
  }
  EXPECT_GT(found, 200U);
}

}  // namespace
}  // namespace seep::table
