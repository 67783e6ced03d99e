#include "analyzer/suppress/parse.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "analyzer/suppress/pattern.h"

namespace seep::suppress {
namespace {

std::vector<Suppression> parsed(std::string_view text) {
  Result<std::vector<Suppression>> result = parse(text, "app.supp");
  EXPECT_TRUE(result.ok()) << result.error().message();
  return result ? std::move(*result) : std::vector<Suppression>();
}

std::string complaint(std::string_view text) {
  const Result<std::vector<Suppression>> result = parse(text, "app.supp");
  EXPECT_FALSE(result.ok());
  return result ? "" : result.error().message();
}

TEST(ParseSuppressions, LinesOfLeakSanitizer) {
  const auto found = parsed("# known\n\nleak:open_session\n  leak:*libcrypto.so* \r\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].form, Form::kLeakSanitizer);
  EXPECT_EQ(found[0].pattern, "open_session");
  EXPECT_EQ(found[0].name, "leak:open_session");
  EXPECT_EQ(found[0].file, "app.supp");
  EXPECT_EQ(found[0].line, 3U);
  EXPECT_EQ(found[1].pattern, "*libcrypto.so*");
  EXPECT_EQ(found[1].line, 4U);
}

TEST(ParseSuppressions, ABlockOfValgrind) {
  const auto found = parsed(
      "{\n   a cache of ours\n   Memcheck:Leak\n   match-leak-kinds: definite, reachable\n"
      "   fun:malloc\n   ...\n   fun:pthread_create@@GLIBC_2.34\n   obj:*/libfoo.so\n"
      "   src:cache.c:42\n   src:a:b.c\n}\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].form, Form::kValgrind);
  EXPECT_EQ(found[0].name, "a cache of ours");
  EXPECT_EQ(found[0].line, 1U);
  EXPECT_EQ(found[0].kinds, kDefinite | kReachable);
  ASSERT_EQ(found[0].rules.size(), 6U);
  EXPECT_EQ(found[0].rules[0].kind, FrameRule::Kind::kFunction);
  EXPECT_EQ(found[0].rules[1].kind, FrameRule::Kind::kAny);
  EXPECT_EQ(found[0].rules[2].pattern, "pthread_create");
  EXPECT_EQ(found[0].rules[3].kind, FrameRule::Kind::kObject);
  EXPECT_EQ(found[0].rules[4].pattern, "cache.c");
  EXPECT_EQ(found[0].rules[4].line, 42U);
  EXPECT_EQ(found[0].rules[5].pattern, "a:b.c");
  EXPECT_EQ(found[0].rules[5].line, 0U);
}

TEST(ParseSuppressions, WithoutKindsABlockHoldsForAll) {
  EXPECT_EQ(parsed("{\nx\nMemcheck:Leak\nfun:f\n}\n")[0].kinds, kAllKinds);
}

TEST(ParseSuppressions, BothFormsInOneFile) {
  EXPECT_EQ(parsed("leak:a\n{\nx\nAddrcheck,Memcheck:Leak\nfun:f\n}\nleak:b").size(), 3U);
}

TEST(ParseSuppressions, BlocksOfOtherToolsAndErrorsAreSkipped) {
  EXPECT_TRUE(parsed("{\nx\nHelgrind:Race\nfun:f\n}\n"
                     "{\nx\nMemcheck:Param\nwrite(buf)\nanything\nfun:f\n}\n"
                     "{\nx\nMemcheck:Cond\nfun:f\n}\n")
                  .empty());
}

TEST(ParseSuppressions, TheListThatValgrindInstallsIsRead) {
  std::ifstream file("/usr/libexec/valgrind/default.supp");
  if (!file) {
    GTEST_SKIP() << "valgrind is not installed";
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(parsed(text).empty());
}

TEST(ParseSuppressions, ErrorsNameFileLineAndWhatIsAccepted) {
  EXPECT_EQ(complaint("leak:a\nrace:b\n"),
            "seep: app.supp: line 2: `race:b` is no suppression: give leak:PATTERN "
            "(LeakSanitizer) or a block in braces (Valgrind)");
  EXPECT_NE(complaint("leak:  \n").find("line 1: leak: without a pattern"), std::string::npos);
  EXPECT_NE(complaint("{\nx\nMemcheck:Leak\nfun:f\n").find("the block of line 1 has no end"),
            std::string::npos);
  EXPECT_NE(complaint("{\n}\n").find("a block without a name"), std::string::npos);
  EXPECT_NE(complaint("{\nx\nLeak\n}\n").find("line 3: `Leak` names no tool"), std::string::npos);
  EXPECT_NE(complaint("{\nx\nMemcheck:Leak\n}\n").find("a block without a frame"),
            std::string::npos);
  EXPECT_NE(complaint("{\nx\nMemcheck:Leak\nfoo:f\n}\n").find("line 4: `foo:f` is no frame"),
            std::string::npos);
  EXPECT_NE(complaint("{\nx\nMemcheck:Leak\nfun:\n}\n").find("line 4: `fun:` is no frame"),
            std::string::npos);
  EXPECT_NE(
      complaint("{\nx\nMemcheck:Leak\nmatch-leak-kinds: lost\nfun:f\n}\n").find("definite, indir"),
      std::string::npos);
}

TEST(ParseSuppressions, WhatIsTooLargeIsRefused) {
  EXPECT_NE(complaint("leak:" + std::string(kMostLineBytes, 'a')).find("line 1: longer"),
            std::string::npos);
  std::string block = "{\nx\nMemcheck:Leak\n";
  for (std::size_t i = 0; i <= kMostRules; ++i) {
    block += "fun:f\n";
  }
  EXPECT_NE(complaint(block + "}\n").find("use ..."), std::string::npos);
  EXPECT_NE(complaint(std::string(kMostBytes + 1, '\n')).find("more than a suppression"),
            std::string::npos);
}

TEST(ParseSuppressions, ForeignBytesCannotSendEscapeSequences) {
  const std::string message = complaint("\x1b[2J\n");
  EXPECT_EQ(message.find('\x1b'), std::string::npos) << message;
}

TEST(LineFor, NamesComeBackAsPatternsOfThemselves) {
  for (const char* name :
       {"open_session", "operator*(V const&)", "f$part^1", "a\nb", "ns::f(int)"}) {
    const std::string line = line_for(name);
    ASSERT_EQ(line.substr(0, 5), "leak:");
    EXPECT_TRUE(matches_anywhere("^" + line.substr(5) + "$", name)) << line;
    EXPECT_EQ(parsed(line).size(), 1U) << line;
  }
  EXPECT_EQ(line_for(""), "");
}

}  // namespace
}  // namespace seep::suppress
