#include "cli/quantity.h"

#include <gtest/gtest.h>

namespace seep::cli {
namespace {

TEST(Quantity, SizesAreReadInPowersOf1024) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("64K"), 65536U);
  EXPECT_EQ(parse_size("512M"), 512U << 20);
  EXPECT_EQ(parse_size("1.5G"), 3ULL << 29);
  EXPECT_EQ(parse_size("2GiB"), 2ULL << 30);
  EXPECT_EQ(parse_size("0"), 0U);
}

TEST(Quantity, WhatIsNoSizeIsRefused) {
  for (const char* text : {"", "M", "-1", "12X", "1 M", "1e3", "nan", "inf", "1MM", "99999999T"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Quantity, TimesNeedAUnitUnlessZero) {
  EXPECT_EQ(parse_duration_ms("250ms"), 250U);
  EXPECT_EQ(parse_duration_ms("10s"), 10'000U);
  EXPECT_EQ(parse_duration_ms("0.5s"), 500U);
  EXPECT_EQ(parse_duration_ms("5m"), 300'000U);
  EXPECT_EQ(parse_duration_ms("2h"), 7'200'000U);
  EXPECT_EQ(parse_duration_ms("1d"), 86'400'000U);
  EXPECT_EQ(parse_duration_ms("0"), 0U);
  for (const char* text : {"", "10", "s", "-5s", "10 s", "5min"}) {
    EXPECT_EQ(parse_duration_ms(text), std::nullopt) << text;
  }
}

// As in reports, so that `seep info` and `seep report` say the same of the same bytes.
TEST(Quantity, SizesArePrintedInPowersOfAThousand) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(94'400), "94.4 KB");
  EXPECT_EQ(format_size(1'000'000), "1.00 MB");
}

TEST(Quantity, TimesArePrintedInTwoUnits) {
  EXPECT_EQ(format_duration_ms(340), "340 ms");
  EXPECT_EQ(format_duration_ms(12'300), "12.3 s");
  EXPECT_EQ(format_duration_ms(103 * 60'000), "1 h 43 m");
  EXPECT_EQ(format_duration_ms(50 * 3'600'000), "2 d 2 h");
}

}  // namespace
}  // namespace seep::cli
