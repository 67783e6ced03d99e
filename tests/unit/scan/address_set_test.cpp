#include "preload/scan/address_set.h"

#include <gtest/gtest.h>

namespace seep::scan {
namespace {

TEST(AddressSet, TellsWhatIsNew) {
  AddressSet set;
  ASSERT_TRUE(set.map());
  constexpr std::uintptr_t kHeap = 0x5555'0000'1000;
  for (std::uintptr_t address = kHeap; address < kHeap + 4096; address += 8) {
    EXPECT_TRUE(set.add(address));
    EXPECT_FALSE(set.add(address));
  }
  EXPECT_TRUE(set.add(kHeap - 8));
  EXPECT_TRUE(set.add(kHeap + (std::uintptr_t{1} << 30))) << "the same place of another region";
  EXPECT_TRUE(set.add(0));
  EXPECT_TRUE(set.add(0x7FFF'FFFF'FFF8));
}

TEST(AddressSet, WhatIsNoAddressIsNeverNew) {
  AddressSet set;
  ASSERT_TRUE(set.map());
  EXPECT_FALSE(set.add(std::uintptr_t{1} << 47));
  EXPECT_FALSE(set.add(UINTPTR_MAX));
}

}  // namespace
}  // namespace seep::scan
