#include "preload/recorder/units.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace seep::recorder {
namespace {

TEST(Units, ThreadsAddUp) {
  const auto units = std::make_unique<Units>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 40; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        units->add(3);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(units->total(), 120'000U);
  units->restart();
  EXPECT_EQ(units->total(), 0U);
}

TEST(Units, TheFirstNameStaysAndALongOneIsCut) {
  const auto units = std::make_unique<Units>();
  EXPECT_EQ(units->name(), "");
  units->set_name("a name of far more than thirty-one bytes");
  EXPECT_EQ(units->name(), "a name of far more than thirty-");
  units->set_name("other");
  EXPECT_EQ(units->name(), "a name of far more than thirty-");
}

}  // namespace
}  // namespace seep::recorder
