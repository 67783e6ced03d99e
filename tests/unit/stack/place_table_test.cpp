#include "preload/stack/place_table.h"

#include <gtest/gtest.h>

#include <memory>

#include "preload/stack/modules.h"

namespace seep::stack::testing {
namespace {

// Only compared, never read.
const Load* fake_load(std::uintptr_t number) {
  return reinterpret_cast<const Load*>(number);
}

TEST(PlaceTables, RangesBeginAtTheirFirstByteAndEndBeforeTheLast) {
  const auto table = std::make_unique<PlaceTable>();
  table->add({100, 200, fake_load(1)});
  table->add({200, 300, fake_load(2)});
  table->add({400, 500, nullptr});
  ASSERT_EQ(3U, table->count);
  EXPECT_EQ(nullptr, table->find(99));
  EXPECT_EQ(&table->ranges[0], table->find(100));
  EXPECT_EQ(&table->ranges[0], table->find(199));
  EXPECT_EQ(&table->ranges[1], table->find(200));
  EXPECT_EQ(nullptr, table->find(300));
  EXPECT_EQ(&table->ranges[2], table->find(499));
  EXPECT_EQ(nullptr, table->find(500));
}

TEST(PlaceTables, AdjacentRangesOfOneLoadBecomeOne) {
  const auto table = std::make_unique<PlaceTable>();
  table->add({100, 200, nullptr});
  table->add({200, 300, nullptr});
  table->add({300, 400, fake_load(1)});
  EXPECT_EQ(2U, table->count);
  EXPECT_EQ(300U, table->find(250)->end);
}

TEST(PlaceTables, RangesBeyondTheCapacityAreLeftOut) {
  const auto table = std::make_unique<PlaceTable>();
  for (std::uint64_t i = 0; i < kMaxCodeRanges + 10; ++i) {
    table->add({i * 100, i * 100 + 50, nullptr});
  }
  EXPECT_EQ(kMaxCodeRanges, table->count);
  EXPECT_NE(nullptr, table->find(100));
}

TEST(PlaceTables, ReadTableIsNotGivenToAWriter) {
  refresh_modules();
  const TableGuard reader;
  const PlaceTable* read = reader.table();
  ASSERT_NE(nullptr, read);
  PlaceTable* first = claim_table();
  PlaceTable* second = claim_table();
  EXPECT_NE(read, first);
  EXPECT_NE(read, second);
  EXPECT_NE(first, second);
  release_table(second);
  EXPECT_EQ(second, claim_table()) << "what nobody uses is used again";
  release_table(second);
  release_table(first);
}

TEST(PlaceTables, ReplacedTableStaysWhileItIsRead) {
  refresh_modules();
  TableGuard reader;
  const PlaceTable* read = reader.table();
  const std::uint32_t count = read->count;
  PlaceTable* fresh = claim_table();
  ASSERT_NE(nullptr, fresh);
  ASSERT_TRUE(reader.replace_by(fresh));
  PlaceTable* other = claim_table();
  EXPECT_NE(read, other);
  EXPECT_EQ(count, read->count);
  release_table(other);
  TableGuard late;
  EXPECT_EQ(fresh, late.table());
  PlaceTable* again = claim_table();
  EXPECT_FALSE(reader.replace_by(again)) << "the guarded table is no longer the published one";
  release_table(again);
  refresh_modules();  // the published table is empty now
}

}  // namespace
}  // namespace seep::stack::testing
