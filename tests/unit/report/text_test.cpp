#include <gtest/gtest.h>

#include <algorithm>

#include "analyzer/report/escape.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST(RunSummary, HasTheLinesOfTheContract) {
  const std::string text = to_run_summary(report_with_leak(), "/var/seep/server.4711");
  EXPECT_TRUE(text.starts_with("seep: server[4711] 1 h 43 m, exit 0, 61 snapshots, nothing lost\n"))
      << text;
  EXPECT_TRUE(text.find("\nRSS 5.44 MB, +23.0 MB/h: 79 % explained by 1 leak.\n") !=
              std::string::npos)
      << text;
  EXPECT_TRUE(has(text, "\n#1 growing  +18.1 MB/h (17.7–18.5)  31.2 MB in 104,112 blocks\n"))
      << text;
  EXPECT_TRUE(
      has(text, "\n   open_session  src/session.cpp:88  <- handle_request  src/http.cpp:214\n"))
      << text;
  EXPECT_TRUE(has(text, "\n   why: grew in 52 of 53 intervals; 3 of 104,115 blocks freed\n"))
      << text;
  EXPECT_TRUE(has(text, "seep report /var/seep/server.4711")) << text;
  EXPECT_TRUE(has(text, "leak:open_session")) << text;
}

TEST(RunSummary, EstimatesStandWithTheirErrors) {
  model::Report report = report_with_leak();
  report.processes[0].info.mode = model::Mode::kSample;
  report.processes[0].info.sample_bytes = 524288;
  report.suspects[0].live_bytes_error = 4e6;
  report.totals.live_bytes_error = 5e6;
  const std::string text = to_run_summary(report, "/var/seep/server.4711");
  EXPECT_TRUE(has(text, "61 snapshots, sampled every 524,288 bytes, nothing lost\n")) << text;
  EXPECT_TRUE(has(text, "  31.2 MB ± 4.0 in about 104,112 blocks\n")) << text;
  EXPECT_TRUE(has(to_text(report, {}), " ± 5")) << to_text(report, {});
  EXPECT_TRUE(has(to_markdown(report), "| 31.2 MB ± 4.0 |")) << to_markdown(report);
}

TEST(RunSummary, HasAtMostThreeRowsAndTwentyLines) {
  model::Report report = report_with_leak();
  report.suspects.resize(50, report.suspects[0]);
  report.totals.leak_suspects = 50;
  report.notes.assign(30, "a note");
  for (std::size_t i = 0; i < report.suspects.size(); ++i) {
    report.suspects[i].rank = static_cast<unsigned>(i + 1);
  }
  const std::string text = to_run_summary(report, "/var/seep");
  EXPECT_LE(lines_of(text), 20U) << text;
  EXPECT_TRUE(has(text, "#3 ") && !has(text, "#4 ")) << text;
  EXPECT_TRUE(has(text, "47 more leaks")) << text;
}

TEST(RunSummary, WithoutALeakHasTwoLines) {
  model::Report report = report_with_leak();
  report.suspects[0].leak = false;
  report.totals.leak_suspects = 0;
  report.totals.smallest_leak_seen_bytes_per_h = 61'440;
  report.conclusion = {"none", "no call path grows", "nothing to do"};
  const std::string text = to_run_summary(report, "/var/seep");
  EXPECT_EQ(lines_of(text), 2U) << text;
  EXPECT_TRUE(has(text, "no leak: one of 61.4 KB/h would have shown")) << text;
  EXPECT_TRUE(has(text, "% of the RSS")) << text;
}

TEST(RunSummary, LossesAreInTheFirstLine) {
  model::Report report = report_with_leak();
  report.losses["foreign_free"] = 0;
  EXPECT_TRUE(has(to_run_summary(report, "/x"), "61 snapshots, nothing lost\n"));
  report.losses["missed_free"] = 1234;
  EXPECT_TRUE(has(to_run_summary(report, "/x"), "61 snapshots, lost: 1,234 missed_free\n"));
}

TEST(Text, LossesAreSaidInWordsFirst) {
  model::Report report = report_with_leak();
  report.losses["foreign_free"] = 0;
  report.losses["missed_free"] = 1234;
  const std::string text = to_text(report, {});
  EXPECT_TRUE(has(text, "\nlost 1,234: blocks whose release was not seen")) << text;
  EXPECT_FALSE(has(text, "not recorded")) << text;
}

TEST(Text, NotesComeBeforeTheSuspects) {
  model::Report report = report_with_leak();
  report.notes.emplace_back("less than half is tracked");
  const std::string text = to_text(report, {});
  EXPECT_LT(text.find("note: less than half"), text.find("#1 growing"));
}

TEST(Text, ShowsWhatIsNoLeakOnlyOnRequest) {
  model::Report report = report_with_leak();
  report.suspects.push_back(report.suspects[0]);
  report.suspects[1].leak = false;
  report.suspects[1].verdict = "plateau";
  report.suspects[1].rank = 2;
  EXPECT_FALSE(has(to_text(report, {}), "#2 plateau"));
  EXPECT_TRUE(has(to_text(report, {}), "1 more; all: --all --top 0"));
  TextOptions all;
  all.all = true;
  EXPECT_TRUE(has(to_text(report, all), "#2 plateau"));
}

TEST(Text, OneSuspectInFullById) {
  TextOptions options;
  options.id = "0123456789abcdef";
  const std::string text = to_text(report_with_leak(), options);
  EXPECT_TRUE(has(text, "-> open_session  src/session.cpp:88\n")) << text;
  EXPECT_TRUE(has(text, "   handle_request  src/http.cpp:214\n")) << text;
  options.id = "ffffffffffffffff";
  EXPECT_TRUE(has(to_text(report_with_leak(), options), "no suspect has the id"));
}

model::Report report_with_paths() {
  model::Report report = report_with_leak();
  model::Suspect& suspect = report.suspects[0];
  suspect.sites = 50;
  suspect.paths.resize(5, suspect.paths[0]);
  for (std::size_t i = 0; i < suspect.paths.size(); ++i) {
    suspect.paths[i].live_bytes = 1000 * (9 - i);
    suspect.paths[i].stack[1].function = "handler_" + std::to_string(i) + "(int)";
  }
  suspect.paths[2].stack[1].file.reset();
  return report;
}

TEST(Text, ARowShowsItsLargestPaths) {
  const std::string text = to_text(report_with_paths(), {});
  EXPECT_TRUE(has(text, "<- handle_request  src/http.cpp:214  (50 paths)\n")) << text;
  EXPECT_TRUE(
      has(text,
          "\n   paths: 9.00 KB by handler_0 http.cpp:214, 8.00 KB by handler_1 http.cpp:214, "
          "7.00 KB by handler_2, 47 more: --id 0123456789abcdef\n"))
      << text;
}

TEST(Text, OneSuspectHasAllItsPathsAndItsSeries) {
  TextOptions options;
  options.id = "0123456789abcdef";
  model::Report report = report_with_paths();
  for (std::size_t i = 0; i < report.snapshots.size(); ++i) {
    report.suspects[0].series_bytes[i] = 1000 * i;
  }
  const std::string text = to_text(report, options);
  EXPECT_TRUE(has(text,
                  "\n   path 5 of 50: 5.00 KB in 104,112 blocks\n"
                  "   -> open_session  src/session.cpp:88\n"
                  "      handler_4(int)  src/http.cpp:214\n"))
      << text;
  EXPECT_TRUE(has(text, "\n   live in server.4711: 0 ms 0 B, ")) << text;
  EXPECT_TRUE(has(text, ", 1 m 60.0 KB\n")) << text;
}

TEST(Text, HostileNamesReachNoTerminal) {
  model::Report report = report_with_leak();
  report.processes[0].info.exe = "/tmp/\x1b]0;x\x07\x9b";
  report.suspects[0].stack[0].function = "f\n#2 fake\x1b[31m";
  report.notes.emplace_back("\r\x1b[2K");
  for (const std::string& text :
       {to_text(report, {}), to_run_summary(report, "/x\x1b[0m"), to_markdown(report)}) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      ASSERT_TRUE(byte == '\n' || byte >= 0x20) << unsigned{byte} << " in\n" << text;
      ASSERT_NE(byte, 0x7F);
    }
    EXPECT_FALSE(has(text, "\n#2 fake"));
  }
}

TEST(Text, DoesNotEndWithAnEmptyReport) {
  EXPECT_FALSE(to_text({}, {}).empty());
  EXPECT_FALSE(to_run_summary({}, "/x").empty());
  EXPECT_FALSE(to_markdown({}).empty());
}

TEST(Markdown, HasATableAndTheStackOfALeak) {
  const std::string text = to_markdown(report_with_leak());
  EXPECT_TRUE(has(text, "| 1 | growing | +18.1 MB/h")) << text;
  EXPECT_TRUE(has(text, "1. `open_session  src/session.cpp:88` **read this**")) << text;
}

TEST(Markdown, NamesCannotBreakTheTable) {
  model::Report report = report_with_leak();
  report.suspects[0].stack[0].function = "f|`g`|<b>";
  report.suspects[0].why = "a | b <script>";
  const std::string text = to_markdown(report);
  const auto begin = text.find("| 1 |");
  const std::string row = text.substr(begin, text.find('\n', begin) - begin);
  std::size_t bars = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    bars += row[i] == '|' && (i == 0 || row[i - 1] != '\\') ? 1 : 0;
  }
  EXPECT_EQ(bars, 8U) << row;
  EXPECT_FALSE(has(text, "<script>"));
}

TEST(Printable, KeepsTextAndShowsTheRest) {
  EXPECT_EQ(printable("src/größe.cpp"), "src/größe.cpp");
  EXPECT_EQ(printable("a\tb\x7f"), "a\\x09b\\x7f");
  EXPECT_EQ(printable("\xff\xc3("), "\\xff\\xc3(");
  EXPECT_EQ(printable("\xef\xbf\xbe"), "\\xef\\xbf\\xbe");  // U+FFFE
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // C1
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xf0\x9f\x92\xa7"), "\xf0\x9f\x92\xa7");
}

TEST(DiffText, NamesTheBasisAndTheCallPaths) {
  model::Diff diff;
  diff.old_path = "a.seep";
  diff.new_path = "b.seep";
  model::DiffRow row;
  row.bytes = 2'000'000;
  row.stack = {frame("malloc", nullptr, 0, "libc.so.6"), frame("load", "a.cpp", 3)};
  diff.rows.assign(3, row);
  const std::string text = to_text(diff, 2);
  EXPECT_TRUE(has(text, "a.seep -> b.seep: level against level")) << text;
  EXPECT_TRUE(has(text, "+6.00 MB  in all, over 3 call paths")) << text;
  EXPECT_TRUE(has(text, "+2.00 MB  grew      load  a.cpp:3")) << text;
  EXPECT_TRUE(has(text, "1 more")) << text;
  EXPECT_TRUE(has(to_text(model::Diff{}, 10), "no difference"));
}

}  // namespace
}  // namespace seep::report
