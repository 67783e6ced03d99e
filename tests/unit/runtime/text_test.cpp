#include "preload/runtime/text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace seep::runtime {
namespace {

TEST(Text, BuildsNumbersAndWords) {
  Text<64> text;
  text.add("pid ").add_decimal(42).add_char('.').add_decimal(7, 3).add(" at 0x").add_hex(0xbeef, 8);
  EXPECT_EQ("pid 42.007 at 0x0000beef", text.view());
  EXPECT_EQ(text.view(), view_of(text.c_str()));
  EXPECT_FALSE(text.cut());
}

TEST(Text, WritesTheLargestNumber) {
  Text<64> text;
  text.add_decimal(UINT64_MAX).add_char(' ').add_hex(UINT64_MAX);
  EXPECT_EQ("18446744073709551615 ffffffffffffffff", text.view());
}

TEST(Text, CutsWhatDoesNotFitAndStaysTerminated) {
  Text<8> text;
  text.add("1234567");
  EXPECT_FALSE(text.cut());
  text.add("8");
  EXPECT_TRUE(text.cut());
  EXPECT_EQ("1234567", text.view());
  EXPECT_EQ('\0', text.c_str()[text.size()]);
  text.clear();
  EXPECT_EQ("", text.view());
  EXPECT_FALSE(text.cut());
}

TEST(ViewOf, TakesNullForEmpty) {
  EXPECT_EQ(0U, length_of(nullptr));
  EXPECT_EQ("", view_of(nullptr));
  EXPECT_EQ("abc", view_of("abc"));
}

TEST(CopyText, CutsAndTerminates) {
  char room[4] = {'x', 'x', 'x', 'x'};
  copy_text(room, sizeof(room), "abcdef");
  EXPECT_STREQ("abc", room);
  copy_text(room, sizeof(room), "");
  EXPECT_STREQ("", room);
}

struct Taken {
  bool ok;
  std::uint64_t value;
  std::string rest;
};

Taken take(std::string_view text, unsigned base) {
  std::uint64_t value = 99;
  const bool ok = take_number(text, base, value);
  return {ok, value, std::string(text)};
}

TEST(TakeNumber, ReadsUpToTheFirstOtherCharacter) {
  const Taken decimal = take("120 kB", 10);
  EXPECT_TRUE(decimal.ok);
  EXPECT_EQ(120U, decimal.value);
  EXPECT_EQ(" kB", decimal.rest);
  const Taken hexadecimal = take("7fFa-1", 16);
  EXPECT_EQ(0x7ffaU, hexadecimal.value);
  EXPECT_EQ("-1", hexadecimal.rest);
  EXPECT_EQ("a", take("9a", 10).rest);
}

TEST(TakeNumber, TakesTheLargestAndRefusesOneMore) {
  EXPECT_EQ(UINT64_MAX, take("18446744073709551615", 10).value);
  EXPECT_EQ(UINT64_MAX, take("ffffffffffffffff", 16).value);
  for (const char* text : {"18446744073709551616", "99999999999999999999"}) {
    const Taken refused = take(text, 10);
    EXPECT_FALSE(refused.ok) << text;
    EXPECT_EQ(99U, refused.value) << "the value stays";
    EXPECT_EQ(text, refused.rest) << "the text stays";
  }
  EXPECT_FALSE(take("10000000000000000", 16).ok);
}

TEST(TakeNumber, RefusesWhatIsNone) {
  for (const char* text : {"", "-1", "+1", " 1", "x"}) {
    EXPECT_FALSE(take(text, 10).ok) << text;
  }
}

TEST(TakeLine, GivesEachLineWithoutItsEnd) {
  std::string_view text = "one\n\nthree";
  std::string_view line;
  ASSERT_TRUE(take_line(text, line));
  EXPECT_EQ("one", line);
  ASSERT_TRUE(take_line(text, line));
  EXPECT_EQ("", line);
  ASSERT_TRUE(take_line(text, line));
  EXPECT_EQ("three", line);
  EXPECT_FALSE(take_line(text, line));
}

TEST(TakeLine, EndsAfterAFinalNewline) {
  std::string_view text = "one\n";
  std::string_view line;
  ASSERT_TRUE(take_line(text, line));
  EXPECT_FALSE(take_line(text, line));
}

TEST(SkipBlanks, RemovesSpacesAndTabsOnly) {
  std::string_view text = " \t \nx";
  skip_blanks(text);
  EXPECT_EQ("\nx", text);
  skip_blanks(text);
  EXPECT_EQ("\nx", text);
}

TEST(GlobMatches, StarsAndQuestionMarks) {
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("*", "anything"));
  EXPECT_TRUE(glob_matches("php*", "php8.2"));
  EXPECT_TRUE(glob_matches("*.so", "libc.so"));
  EXPECT_TRUE(glob_matches("a*b*c", "axxbyyc"));
  EXPECT_TRUE(glob_matches("a**c", "abc"));
  EXPECT_TRUE(glob_matches("?b?", "abc"));
  EXPECT_FALSE(glob_matches("", "a"));
  EXPECT_FALSE(glob_matches("?", ""));
  EXPECT_FALSE(glob_matches("php", "php8"));
  EXPECT_FALSE(glob_matches("*.so", "libc.so.6"));
  EXPECT_FALSE(glob_matches("a*b*c", "axxcyyb"));
}

TEST(GlobMatches, GoesBackToTheLastStar) {
  EXPECT_TRUE(glob_matches("*ab", "aab"));
  EXPECT_TRUE(glob_matches("*aab*", "aaaab"));
  EXPECT_FALSE(glob_matches("*ab", "aba"));
}

}  // namespace
}  // namespace seep::runtime
