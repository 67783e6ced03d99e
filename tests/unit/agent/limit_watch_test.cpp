#include "preload/agent/limit_watch.h"

#include <gtest/gtest.h>

#include <vector>

namespace seep::agent {
namespace {

constexpr std::uint64_t kMb = std::uint64_t{1} << 20;
constexpr std::uint64_t kMinute = 60000;

LimitWatch watch_of(SizeLimit warning, SizeLimit critical) {
  LimitWatch watch;
  const SizeLimit limits[] = {warning, critical};
  watch.configure(limits);
  return watch;
}

LimitWatch sizes() {
  return watch_of({512 * kMb, 0}, {1024 * kMb, 0});
}

std::vector<LimitName> taken(LimitWatch& watch) {
  std::vector<LimitName> all;
  LimitName which;
  while (watch.take(which)) {
    all.push_back(which);
  }
  return all;
}

TEST(LimitWatch, TellsEachLimitWhenItIsPassed) {
  LimitWatch watch = sizes();
  watch.look(511 * kMb, 0, 0);
  EXPECT_FALSE(watch.is_pending());
  watch.look(512 * kMb, 0, 200);
  EXPECT_EQ(taken(watch), std::vector{LimitName::kWarning});
  watch.look(1025 * kMb, 0, 400);
  EXPECT_EQ(taken(watch), std::vector{LimitName::kCritical});
  EXPECT_TRUE(watch.is_passed(0) && watch.is_passed(1));
}

TEST(LimitWatch, TellsBothWhenOneLookFindsBothPassed) {
  LimitWatch watch = sizes();
  watch.look(2048 * kMb, 0, 0);
  EXPECT_EQ(taken(watch), (std::vector{LimitName::kWarning, LimitName::kCritical}));
}

TEST(LimitWatch, TellsOfASizeThatHoversAboutTheLimitOnce) {
  LimitWatch watch = sizes();
  std::size_t told = 0;
  for (std::uint64_t look = 0; look < 10000; ++look) {
    watch.look((look % 2 == 0 ? 530 : 480) * kMb, 0, look * 200);
    told += taken(watch).size();
  }
  EXPECT_EQ(told, 1U);
}

TEST(LimitWatch, TellsAgainWhenTheSizeWasWellBelowAndAMinuteIsOver) {
  LimitWatch watch = sizes();
  watch.look(600 * kMb, 0, 0);
  EXPECT_EQ(taken(watch).size(), 1U);
  watch.look(100 * kMb, 0, kMinute / 2);
  watch.look(600 * kMb, 0, kMinute / 2 + 200);
  EXPECT_EQ(taken(watch).size(), 0U) << "too soon";
  watch.look(100 * kMb, 0, kMinute);
  watch.look(600 * kMb, 0, kMinute + 200);
  EXPECT_EQ(taken(watch).size(), 1U);
  EXPECT_EQ(watch.crossings(0), 2U);
}

TEST(LimitWatch, SharesAreOfTheGroupsLimitAsItIsNow) {
  LimitWatch watch = watch_of({0, 80}, {0, 95});
  EXPECT_TRUE(watch.needs_group());
  watch.look(900 * kMb, 0, 0);
  EXPECT_EQ(watch.limit_bytes(0), 0U);
  EXPECT_FALSE(watch.is_pending()) << "the group has no limit";
  watch.look(900 * kMb, 1100 * kMb, 200);
  EXPECT_EQ(taken(watch), std::vector{LimitName::kWarning});
  watch.look(900 * kMb, 920 * kMb, 400);
  EXPECT_EQ(taken(watch), std::vector{LimitName::kCritical});
  watch.look(900 * kMb, 4000 * kMb, 600);
  EXPECT_FALSE(watch.is_passed(0));
}

TEST(LimitWatch, AChildDoesNotPassWhatItsParentHasPassed) {
  LimitWatch watch = sizes();
  watch.look(600 * kMb, 0, 0);
  watch.begin_as_child();
  watch.look(610 * kMb, 0, 200);
  EXPECT_FALSE(watch.is_pending());
  watch.look(1100 * kMb, 0, 400);
  EXPECT_EQ(taken(watch), std::vector{LimitName::kCritical});
}

TEST(LimitWatch, ASizeThatCannotBeReadIsNone) {
  LimitWatch watch = sizes();
  watch.look(600 * kMb, 0, 0);
  watch.look(0, 0, kMinute);
  EXPECT_TRUE(watch.is_passed(0));
}

TEST(LimitWatch, WithoutLimitsIsNotActive) {
  EXPECT_FALSE(watch_of({}, {}).is_active());
  EXPECT_TRUE(watch_of({}, {0, 95}).is_active());
}

}  // namespace
}  // namespace seep::agent
