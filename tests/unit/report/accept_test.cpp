#include "analyzer/report/accept.h"

#include <gtest/gtest.h>

#include <string>

#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "analyzer/suppress/parse.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

std::vector<suppress::Suppression> list(const std::string& text) {
  auto parsed = suppress::parse(text, "app.supp");
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed ? *parsed : std::vector<suppress::Suppression>();
}

std::vector<model::Suspect> one_leak() {
  return report_with_leak().suspects;
}

TEST(Accept, ASuspectIsMarkedAndStaysALeak) {
  auto suspects = one_leak();
  const auto uses = accept(list("leak:close_session\nleak:open_session\n"), suspects);
  EXPECT_EQ(suspects[0].suppressed_by, "leak:open_session");
  EXPECT_TRUE(suspects[0].leak);
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].suspects, 0U);
  EXPECT_EQ(uses[1].suspects, 1U);
  EXPECT_EQ(uses[1].live_bytes, suspects[0].live_bytes);
  EXPECT_EQ(uses[1].line, 2U);
}

TEST(Accept, EveryPathOfASuspectMustMatch) {
  auto suspects = one_leak();
  suspects[0].paths.push_back(
      {64, 1, {frame("open_session", "src/session.cpp", 88), frame("poll", "src/poll.cpp", 1)}});
  EXPECT_EQ(accept(list("leak:handle_request"), suspects)[0].suspects, 0U);
  EXPECT_FALSE(suspects[0].suppressed_by);
  accept(list("leak:handle_request\nleak:^poll$\n"), suspects);
  EXPECT_TRUE(suspects[0].suppressed_by);
}

TEST(Accept, KindsOfValgrindAreThoseOfTheMemoryThatIsLost) {
  const auto definite =
      list("{\nx\nMemcheck:Leak\nmatch-leak-kinds: definite\nfun:malloc\nfun:open_session\n}\n");
  auto suspects = one_leak();
  accept(definite, suspects);
  EXPECT_TRUE(suspects[0].suppressed_by) << "what is unreachable is not known";
  suspects = one_leak();
  suspects[0].unreachable_bytes = 0;
  accept(definite, suspects);
  EXPECT_FALSE(suspects[0].suppressed_by) << "it grows and is reachable";
  suspects[0].verdict = "unreachable";
  suspects[0].unreachable_bytes = 100;
  suspects[0].unreachable_direct_bytes = 100;
  accept(definite, suspects);
  EXPECT_TRUE(suspects[0].suppressed_by);
}

TEST(Accept, WhatIsBuiltInHoldsForWhatIsLostOnce) {
  auto built_in = list("leak:open_session");
  built_in[0].once_only = true;
  built_in[0].file.clear();
  auto suspects = one_leak();
  EXPECT_TRUE(accept(built_in, suspects).empty()) << "it grows";
  EXPECT_FALSE(suspects[0].suppressed_by);
  suspects[0].verdict = "unreachable";
  suspects[0].behaviour = model::Behaviour::kOneTime;
  EXPECT_EQ(accept(built_in, suspects).size(), 1U);
  EXPECT_TRUE(suspects[0].suppressed_by);
  EXPECT_FALSE(suspects[0].leak);
}

TEST(SuppressionsFor, SilenceTheLeakThatTheyWereMadeFor) {
  model::Report report = report_with_leak();
  const std::string text = suppressions_for(report);
  EXPECT_NE(text.find("leak:^open_session$\n"), std::string::npos) << text;
  accept(list(text), report.suspects);
  EXPECT_TRUE(report.suspects[0].suppressed_by);
  EXPECT_EQ(suppressions_for(report), "") << "nothing is left to silence";
}

TEST(SuppressionsFor, TwoLeaksOfOneFunctionShareALine) {
  model::Report report = report_with_leak();
  report.suspects.push_back(report.suspects[0]);
  EXPECT_EQ(list(suppressions_for(report)).size(), 1U);
}

TEST(SuppressionsFor, WithoutANameThereIsOnlyAComment) {
  model::Report report = report_with_leak();
  report.suspects[0].stack[0].function.reset();
  EXPECT_TRUE(list(suppressions_for(report)).empty());
}

TEST(SuppressionsFor, NamesCannotAddLinesOrEscapeSequences) {
  model::Report report = report_with_leak();
  report.suspects[0].stack[0].function = "f\nleak:*\n\x1b[2J";
  const std::string text = suppressions_for(report);
  EXPECT_EQ(text.find("\nleak:*\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_EQ(list(text).size(), 1U) << text;
}

model::Report build(const Options& options) {
  symbolize::Symbolizer symbolizer({});
  return build_report({recording_with_leak(7, 6400)}, options, symbolizer);
}

TEST(BuildReport, SuppressedLeaksAreCountedApart) {
  Options options;
  options.suppressions = list("leak:/opt/app/server\nleak:other");
  const model::Report report = build(options);
  EXPECT_EQ(report.totals.leak_suspects, 0U);
  EXPECT_EQ(report.totals.suppressed_suspects, 1U);
  ASSERT_EQ(report.suspects.size(), 3U);
  EXPECT_TRUE(report.suspects[0].leak);
  EXPECT_EQ(report.conclusion.cause, "leak");
  EXPECT_NE(report.conclusion.sentence.find("(1 suppressed)"), std::string::npos)
      << report.conclusion.sentence;
  const std::string text = to_text(report, {});
  EXPECT_NE(text.find("1 suppressed\n"), std::string::npos) << text;
  EXPECT_NE(text.find("unused suppression: leak:other (app.supp:2)\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("#1"), std::string::npos) << "it is not shown";
  EXPECT_NE(to_run_summary(report, "/out").find("no leak"), std::string::npos);
}

TEST(BuildReport, ALeakBelowTheLastRowComesUpForASuppressedOne) {
  Options options;
  options.top = 1;
  options.by_site = true;
  model::Recording first = recording_with_leak(7, 6400);
  model::Recording second = recording_with_leak(8, 640);
  second.stacks.modules[1].path = "/opt/app/other";
  second.process.exe = "/opt/app/other";
  options.suppressions = list("leak:/opt/app/server");
  symbolize::Symbolizer symbolizer({});
  const model::Report report = build_report({first, second}, options, symbolizer);
  ASSERT_EQ(report.suspects.size(), 1U);
  EXPECT_FALSE(report.suspects[0].suppressed_by);
  EXPECT_EQ(report.totals.leak_suspects, 1U);
  EXPECT_EQ(report.totals.suppressed_suspects, 1U);
}

}  // namespace
}  // namespace seep::report
