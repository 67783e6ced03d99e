// A report beside logs of other tools, both made by hand.
#include "analyzer/compare/compare.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyzer/compare/print.h"

namespace seep::compare {
namespace {

using foreign::Kind;

model::ReportFrame frame(const std::string& function, unsigned line) {
  model::ReportFrame frame;
  frame.function = function;
  frame.file = "/src/app.c";
  frame.line = line;
  frame.module = "/opt/app";
  return frame;
}

model::Suspect suspect(const std::string& function, unsigned line, bool leak, std::uint64_t bytes) {
  model::Suspect suspect;
  suspect.id = function;
  suspect.leak = leak;
  suspect.verdict = leak ? "growing" : "plateau";
  suspect.why = "it did";
  suspect.behaviour = leak ? model::Behaviour::kGrowing : model::Behaviour::kPlateau;
  suspect.live_bytes = bytes;
  suspect.live_blocks = bytes / 10;
  suspect.unreachable_bytes = suspect.unreachable_blocks = 0;
  suspect.unreachable_direct_bytes = suspect.unreachable_direct_blocks = 0;
  suspect.stack = {frame(function, line), frame("main", 90)};
  suspect.paths = {{bytes, bytes / 10, suspect.stack}};
  return suspect;
}

model::Suspect lost(const std::string& function, unsigned line, std::uint64_t bytes) {
  model::Suspect one = suspect(function, line, true, bytes);
  one.verdict = "unreachable";
  one.unreachable_bytes = one.unreachable_direct_bytes = bytes;
  one.unreachable_blocks = one.unreachable_direct_blocks = bytes / 10;
  return one;
}

foreign::Leak leak(Kind kind, const std::string& function, unsigned line, std::uint64_t bytes) {
  foreign::Leak leak;
  leak.kind = kind;
  leak.bytes = bytes;
  leak.blocks = bytes / 10;
  leak.stack = {{.function = "malloc", .module = "/usr/lib/vgpreload_memcheck-amd64-linux.so"},
                {.function = function, .file = "app.c", .line = line},
                {.function = "main", .file = "app.c", .line = 90}};
  return leak;
}

foreign::Log log(foreign::Tool tool, std::vector<foreign::Leak> leaks) {
  foreign::Log log;
  log.tool = tool;
  log.file = "log";
  log.leaks = std::move(leaks);
  log.lists_possible = true;
  log.lists_reachable = true;
  return log;
}

model::Report report(std::vector<model::Suspect> suspects) {
  model::Report report;
  report.suspects = std::move(suspects);
  return report;
}

foreign::Log valgrind(std::vector<foreign::Leak> leaks) {
  return log(foreign::Tool::kValgrind, std::move(leaks));
}

foreign::Log sanitizer(std::vector<foreign::Leak> leaks) {
  return log(foreign::Tool::kLeakSanitizer, std::move(leaks));
}

TEST(Compare, WhatAllFoundIsOneRowWithTheirFigures) {
  const model::Report given = report({lost("load", 10, 400)});
  const Comparison result = compare(given, {valgrind({leak(Kind::kDirect, "load", 10, 400)}),
                                            sanitizer({leak(Kind::kDirect, "load", 10, 400)})});
  ASSERT_EQ(result.leaks.size(), 1U);
  EXPECT_TRUE(result.leaks[0].found_by_all());
  EXPECT_EQ(result.leaks[0].same_counts, true);
  ASSERT_EQ(result.columns.size(), 3U);
  EXPECT_EQ(result.leaks[0].findings[1].direct->bytes, 400U);
  EXPECT_EQ(result.leaks[0].findings[1].direct->blocks, 40U);
  EXPECT_EQ(result.leaks[0].findings[1].score, 1.0);
}

TEST(Compare, RecordsOfOneLeakAddUpAndOtherCountsAreSaid) {
  const model::Report given = report({lost("load", 10, 400)});
  const Comparison result = compare(
      given,
      {valgrind({leak(Kind::kDirect, "load", 10, 100), leak(Kind::kIndirect, "load", 11, 50)})});
  ASSERT_EQ(result.leaks.size(), 1U);
  EXPECT_EQ(result.leaks[0].findings[1].lost()->bytes, 150U);
  EXPECT_EQ(result.leaks[0].same_counts, false);
  EXPECT_NE(to_text(result, false).find("counts differ"), std::string::npos);
}

TEST(Compare, ThePageTakesNothingFromOtherPeoplesNames) {
  const char* name = "load<script>alert(\"1\")</script>\x01";
  const model::Report given = report({lost(name, 10, 400)});
  Comparison result = compare(given, {valgrind({leak(Kind::kDirect, "other", 11, 7)})});
  result.program = "<b>&amp;";
  result.notes = {"</p><img src=x>"};
  const std::string page = to_html(result, false);
  for (const char* forbidden : {"<script", "<img", "<b>&amp;\x01", "\x01", "<b>&amp; as"}) {
    EXPECT_EQ(page.find(forbidden), std::string::npos) << forbidden;
  }
  EXPECT_NE(page.find("load&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\\x01"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("definitely lost 7 B"), std::string::npos) << page;
  EXPECT_EQ(result.leak_count, 2U);
  EXPECT_NE(page.find("<td>2</td>"), std::string::npos);
}

TEST(Compare, BlocksOfNoBytesAreFound) {
  foreign::Leak empty = leak(Kind::kDirect, "load", 10, 0);
  empty.blocks = 1;
  const Comparison result = compare(report({}), {valgrind({empty})});
  EXPECT_TRUE(result.leaks.front().findings[1].found());
}

TEST(Compare, SumsOfAnySizeDoNotWrap) {
  const Comparison result = compare(
      report({}),
      {valgrind({leak(Kind::kDirect, "load", 10, ~0ULL), leak(Kind::kDirect, "load", 10, 400)})});
  EXPECT_EQ(result.leaks.front().findings[1].direct->bytes, ~0ULL);
}

TEST(Compare, FramesOfScriptsDoNotFillTheStack) {
  model::Suspect deep = lost("load", 10, 400);
  model::ReportFrame script = frame("handler", 3);
  script.language = model::Language::kPhp;
  deep.stack.insert(deep.stack.begin(), 40, script);
  deep.paths = {{400, 40, deep.stack}};
  const model::Report given = report({deep});
  const Comparison result = compare(given, {valgrind({leak(Kind::kDirect, "load", 10, 400)})});
  EXPECT_EQ(result.leaks.size(), 1U);
}

TEST(Compare, ALibraryAndItsLinkAreOneModule) {
  model::Suspect one = lost("load", 10, 400);
  model::ReportFrame place;
  place.module = "/usr/lib/libffi.so.8.1.2";
  place.offset = 0x12345;
  one.stack = {place};
  one.paths = {{400, 40, one.stack}};
  foreign::Leak same = leak(Kind::kDirect, "", 0, 400);
  same.stack = {{.module = "/lib/libffi.so.8", .offset = 0x12345}};
  EXPECT_EQ(compare(report({one}), {sanitizer({same})}).leaks.size(), 1U);
}

TEST(Compare, AnyProcessOfTheRecordingIsTheProgram) {
  model::Report given = report({});
  given.processes.resize(2);
  given.processes[0].info.exe = "/bin/dash";
  given.processes[1].info.exe = "/opt/app";
  foreign::Log same = valgrind({});
  same.program = "./app";
  EXPECT_TRUE(compare(given, {same}).notes.empty());
  same.program = "./other";
  EXPECT_EQ(compare(given, {same}).notes,
            std::vector<std::string>{"log names the program ./other"});
}

Missed missed(const model::Suspect& suspect, const foreign::Log& log) {
  const model::Report given = report({suspect});
  const Comparison result = compare(given, {log});
  return result.leaks.front().findings[1].missed;
}

TEST(Compare, WhyOthersMissWhatGrows) {
  const model::Suspect grows = suspect("keep", 20, true, 900);
  EXPECT_EQ(missed(grows, valgrind({leak(Kind::kReachable, "keep", 20, 900)})),
            Missed::kStillReachable);
  EXPECT_EQ(missed(grows, valgrind({})), Missed::kFreedAtExit);
  EXPECT_EQ(missed(grows, sanitizer({})), Missed::kReachable);
  foreign::Log unasked = valgrind({});
  unasked.lists_reachable = false;
  EXPECT_EQ(missed(grows, unasked), Missed::kReachable);
  EXPECT_EQ(missed(grows, log(foreign::Tool::kHeaptrack, {})), Missed::kFreedAtExit);
  foreign::Log largest = log(foreign::Tool::kHeaptrack, {});
  largest.omitted = 1;
  EXPECT_EQ(missed(grows, largest), Missed::kBelowThreshold);
  EXPECT_EQ(missed(grows, log(foreign::Tool::kHeaptrack, {leak(Kind::kNotFreed, "keep", 20, 900)})),
            Missed::kNo);
}

TEST(Compare, WhyOthersMissWhatIsLost) {
  const model::Suspect gone = lost("load", 10, 400);
  EXPECT_EQ(missed(gone, valgrind({})), Missed::kOtherRun);
  foreign::Log suppressed = sanitizer({});
  suppressed.suppressed = 4;
  EXPECT_EQ(missed(gone, suppressed), Missed::kSuppressed);
  foreign::Log omitted = sanitizer({});
  omitted.omitted = 1;
  EXPECT_EQ(missed(gone, omitted), Missed::kBelowThreshold);
  model::Suspect indirect = gone;
  indirect.unreachable_direct_bytes = indirect.unreachable_direct_blocks = 0;
  foreign::Log brief = valgrind({});
  brief.lists_indirect = false;
  EXPECT_EQ(missed(indirect, brief), Missed::kNotShown);
}

TEST(Compare, MapsAndPoolsAreNotTrackedByOthers) {
  model::Suspect map = suspect("map_file", 30, true, 4096);
  map.kind = model::SiteKind::kMmap;
  EXPECT_EQ(missed(map, valgrind({})), Missed::kNotTracked);
  model::Suspect pool = suspect("take", 40, true, 640);
  pool.paths.front().of_pool = true;
  EXPECT_EQ(missed(pool, sanitizer({})), Missed::kNotTracked);
}

Missed missed_by_seep(std::vector<model::Suspect> suspects, const foreign::Log& log) {
  const model::Report given = report(std::move(suspects));
  const Comparison result = compare(given, {log});
  return result.leaks.front().findings[0].missed;
}

TEST(Compare, WhySeepMissesWhatOthersFind) {
  const foreign::Log found = valgrind({leak(Kind::kDirect, "load", 10, 400)});
  EXPECT_EQ(missed_by_seep({}, found), Missed::kOtherRun);
  EXPECT_EQ(missed_by_seep({suspect("load", 10, false, 400)}, found), Missed::kNoLeak);
  model::Suspect brief = suspect("load", 10, false, 400);
  brief.behaviour = model::Behaviour::kUnknown;
  EXPECT_EQ(missed_by_seep({brief}, found), Missed::kUndecided);
  model::Suspect accepted = lost("load", 10, 400);
  accepted.suppressed_by = "leak:load";
  EXPECT_EQ(missed_by_seep({accepted}, found), Missed::kSuppressed);
  EXPECT_EQ(missed_by_seep({suspect("load", 10, false, 400)},
                           valgrind({leak(Kind::kPossible, "load", 10, 400)})),
            Missed::kReachable);
}

TEST(Compare, WhatSeepHasNotIsARowThatOthersShare) {
  const model::Report given = report({});
  const Comparison result = compare(given, {valgrind({leak(Kind::kDirect, "load", 10, 400)}),
                                            sanitizer({leak(Kind::kDirect, "load", 10, 400)})});
  ASSERT_EQ(result.leaks.size(), 1U);
  EXPECT_EQ(result.leaks[0].frame.function, "load");
  EXPECT_TRUE(result.leaks[0].findings[1].found());
  EXPECT_TRUE(result.leaks[0].findings[2].found());
}

TEST(Compare, CachesAreNoRowsOfTheTable) {
  const model::Report given = report({suspect("fill", 50, false, 700), lost("load", 10, 400)});
  const Comparison result = compare(
      given,
      {valgrind({leak(Kind::kReachable, "fill", 50, 700), leak(Kind::kDirect, "load", 10, 400)})});
  EXPECT_EQ(result.leak_count, 1U);
  EXPECT_EQ(result.leaks.size(), 2U);
  EXPECT_EQ(result.leaks[0].frame.function, "load");
  EXPECT_EQ(to_text(result, false).find("fill"), std::string::npos);
  EXPECT_NE(to_text(result, true).find("fill"), std::string::npos);
}

TEST(Compare, TheNearerLineIsTaken) {
  const model::Report given = report({lost("load", 10, 400), lost("load", 12, 60)});
  const Comparison result = compare(given, {valgrind({leak(Kind::kDirect, "load", 12, 60)})});
  EXPECT_FALSE(result.leaks[0].findings[1].listed);
  EXPECT_TRUE(result.leaks[1].findings[1].listed);
}

TEST(Compare, JsonHasEveryFieldOfEachTool) {
  const model::Report given = report({suspect("keep", 20, true, 900)});
  const auto json = nlohmann::json::parse(to_json(
      compare(given, {valgrind({leak(Kind::kReachable, "keep", 20, 900)}), sanitizer({})})));
  EXPECT_EQ(json.at("schema"), "seep.compare/1");
  EXPECT_EQ(json.at("leak_count"), 1);
  const auto& row = json.at("leaks").at(0);
  EXPECT_EQ(row.at("function"), "keep");
  EXPECT_EQ(row.at("line"), 20);
  const auto& findings = row.at("findings");
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].at("found"), true);
  EXPECT_EQ(findings[0].at("missed"), nullptr);
  EXPECT_EQ(findings[1].at("missed"), "still_reachable");
  EXPECT_EQ(findings[1].at("reachable").at("bytes"), 900);
  EXPECT_EQ(findings[2].at("missed"), "reachable");
  EXPECT_EQ(findings[2].at("reachable"), nullptr);
}

}  // namespace
}  // namespace seep::compare
