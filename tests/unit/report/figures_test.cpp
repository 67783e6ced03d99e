#include "analyzer/model/figures.h"
#include "analyzer/model/result.h"

#include <gtest/gtest.h>

namespace seep::model {
namespace {

TEST(Error, MessageIsSafeForATerminal) {
  const Error error{ErrorKind::kBadInput, "a\x1b]0;x\x07", {}, "sites", "is cut", "copy it again"};
  EXPECT_EQ(error.message(), "seep: a\\x1b]0;x\\x07: section sites: is cut: copy it again");
}

TEST(FormatBytes, HasThreeDigitsAndTheUnitThatFits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(812), "812 B");
  EXPECT_EQ(format_bytes(999.4), "999 B");
  EXPECT_EQ(format_bytes(999.6), "1.00 KB");
  EXPECT_EQ(format_bytes(1520), "1.52 KB");
  EXPECT_EQ(format_bytes(9999), "10.0 KB");
  EXPECT_EQ(format_bytes(31'200'000), "31.2 MB");
  EXPECT_EQ(format_bytes(999'600'000), "1.00 GB");
  EXPECT_EQ(format_bytes(-18'100'000), "-18.1 MB");
  EXPECT_EQ(format_bytes(1.8e19), "18.0 EB");
  EXPECT_EQ(format_bytes(5e22), "50000 EB");
}

TEST(FormatEstimate, HasTheErrorInTheSameUnit) {
  EXPECT_EQ(format_estimate(1'240'000, 96'000), "1.24 MB ± 0.10");
  EXPECT_EQ(format_estimate(31'200'000, 4'000'000), "31.2 MB ± 4.0");
  EXPECT_EQ(format_estimate(524'288, 524'000), "524 KB ± 524");
  EXPECT_EQ(format_estimate(0, 0), "0 B ± 0");
  EXPECT_EQ(format_estimate(1'240'000, std::nullopt), "1.24 MB");
}

TEST(FormatHourly, HasASign) {
  EXPECT_EQ(format_hourly(18.1e6 / 3600), "+18.1 MB/h");
  EXPECT_EQ(format_hourly(0), "+0 B/h");
  EXPECT_EQ(format_hourly(-1000), "-3.60 MB/h");
}

TEST(FormatCount, GroupsDigitsByThree) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(104'112), "104,112");
  EXPECT_EQ(format_count(18'446'744'073'709'551'615U), "18,446,744,073,709,551,615");
}

TEST(FormatDuration, HasTheTwoLargestUnits) {
  EXPECT_EQ(format_duration(0), "0 ms");
  EXPECT_EQ(format_duration(0.64), "640 ms");
  EXPECT_EQ(format_duration(0.9999), "1.0 s");
  EXPECT_EQ(format_duration(4.2), "4.2 s");
  EXPECT_EQ(format_duration(59.99), "1 m");
  EXPECT_EQ(format_duration(65), "1 m 5 s");
  EXPECT_EQ(format_duration(6180), "1 h 43 m");
  EXPECT_EQ(format_duration(3 * 86400 + 4 * 3600 + 59), "3 d 4 h");
}

}  // namespace
}  // namespace seep::model
