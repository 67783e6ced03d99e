#include "analyzer/suppress/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace seep::suppress {
namespace {

TEST(MatchesAnywhere, APartOfANameIsEnough) {
  EXPECT_TRUE(matches_anywhere("session", "open_session(int)"));
  EXPECT_FALSE(matches_anywhere("sessions", "open_session(int)"));
  EXPECT_FALSE(matches_anywhere("session", ""));
}

TEST(MatchesAnywhere, AnchorsTieBothEnds) {
  EXPECT_TRUE(matches_anywhere("^open", "open_session"));
  EXPECT_FALSE(matches_anywhere("^session", "open_session"));
  EXPECT_TRUE(matches_anywhere("session$", "open_session"));
  EXPECT_FALSE(matches_anywhere("open$", "open_session"));
  EXPECT_TRUE(matches_anywhere("^open_session$", "open_session"));
  EXPECT_FALSE(matches_anywhere("^open_session$", "open_sessions"));
  EXPECT_FALSE(matches_anywhere("^open_session$", "reopen_session"));
}

TEST(MatchesAnywhere, AStarIsAnyText) {
  EXPECT_TRUE(matches_anywhere("open*ion", "open_session"));
  EXPECT_TRUE(matches_anywhere("*", "anything"));
  EXPECT_TRUE(matches_anywhere("^open*", "open"));
  EXPECT_FALSE(matches_anywhere("ion*open", "open_session"));
  EXPECT_TRUE(matches_anywhere("^*session$", "open_session"));
  EXPECT_TRUE(matches_anywhere("^open*$", "open_session"));
  EXPECT_FALSE(matches_anywhere("^open*x$", "open_session"));
  EXPECT_TRUE(matches_anywhere("^a*b*c$", "a.b.b.c.c"));
}

TEST(MatchesAnywhere, PiecesDoNotOverlap) {
  EXPECT_FALSE(matches_anywhere("^aba*aba$", "ababa"));
  EXPECT_TRUE(matches_anywhere("^aba*aba$", "abaaba"));
}

TEST(MatchesAnywhere, AStarInANameStandsForItself) {
  EXPECT_TRUE(matches_anywhere("^operator*(V const&)$", "operator*(V const&)"));
}

TEST(MatchesAnywhere, WhatFollowsADollarIsIgnored) {
  EXPECT_TRUE(matches_anywhere("session$more", "open_session"));
}

TEST(MatchesWhole, TheWholeNameMustFit) {
  EXPECT_TRUE(matches_whole("open_session", "open_session"));
  EXPECT_FALSE(matches_whole("open", "open_session"));
  EXPECT_FALSE(matches_whole("session", "open_session"));
  EXPECT_TRUE(matches_whole("", ""));
  EXPECT_FALSE(matches_whole("", "x"));
}

TEST(MatchesWhole, StarAndQuestionMark) {
  EXPECT_TRUE(matches_whole("open*", "open_session"));
  EXPECT_TRUE(matches_whole("*libc.so.?", "/usr/lib/libc.so.6"));
  EXPECT_FALSE(matches_whole("libc.so.?", "libc.so."));
  EXPECT_TRUE(matches_whole("*a*b*", "xaxbx"));
  EXPECT_FALSE(matches_whole("*a*b", "xaxbx"));
  EXPECT_TRUE(matches_whole("**", ""));
}

TEST(MatchesWhole, ABackslashTakesTheNextCharacterAsItIs) {
  EXPECT_TRUE(matches_whole("operator\\*", "operator*"));
  EXPECT_FALSE(matches_whole("operator\\*", "operator new"));
  EXPECT_FALSE(matches_whole("a\\?", "ab"));
}

TEST(MatchesWhole, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(matches_whole(pattern + "b", std::string(5000, 'a')));
  EXPECT_FALSE(matches_anywhere("^" + pattern + "b$", std::string(5000, 'a')));
}

}  // namespace
}  // namespace seep::suppress
