// seep run --repeat: what a short program holds at its end, over runs with more and more work.
#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

class Repeat : public Scenario {
 protected:
  Output repeat(const char* times, const Arguments& arguments, Arguments options = {}) {
    options.insert(options.end(), {"--check", "--repeat", times});
    Arguments command = {program("repetitions")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_under_seep(options, command);
  }
};

TEST_F(Repeat, WhatGrowsWithTheWorkLeaks) {
  const std::string file = (directory() / "report.json").string();
  const Output output = repeat("4", {"leak", "{}"}, {"--report", file});
  EXPECT_EQ(output.status, 1) << output.err;
  EXPECT_EQ(output.out, "work 1\nwork 2\nwork 4\nwork 8\n");
  EXPECT_EQ(recordings("repetitions").size(), 4U);
  const Json json = Json::parse(read_text(file), nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << output.err;
  EXPECT_EQ(json.at("repetitions").at("work"), Json({1.0, 2.0, 4.0, 8.0}));
  const Json& first = json.at("suspects")[0];
  EXPECT_TRUE(passes_through(first.at("stack"), "keep_one")) << first;
  EXPECT_EQ(first.at("repetitions").at("live_bytes"), Json({100, 200, 400, 800}));
  EXPECT_EQ(first.at("growth_bytes_per_unit"), 100.0);
  EXPECT_TRUE(first.at("growth_bytes_per_s").is_null()) << first;
  EXPECT_EQ(json.at("totals").at("leak_suspects"), 1);
}

// Only `seep run` compares repetitions, so what a CI system reads must come from it.
TEST_F(Repeat, TheReportIsWrittenInEachFormatThatIsNamed) {
  const auto file = [this](const char* name) { return (directory() / name).string(); };
  const Output output = repeat("4", {"leak", "{}"},
                               {"--report", file("a.md"), "--report", file("a.sarif"), "--report",
                                file("a.xml"), "--report", file("a.txt")});
  EXPECT_EQ(output.status, 1) << output.err;
  EXPECT_EQ(output.err.find("#1"), std::string::npos) << output.err;
  EXPECT_EQ(read_text(file("a.md")).find("### seep:"), 0U);
  const Json sarif = Json::parse(read_text(file("a.sarif")), nullptr, false);
  ASSERT_FALSE(sarif.is_discarded()) << output.err;
  EXPECT_EQ(sarif.at("version"), "2.1.0");
  EXPECT_EQ(sarif.at("runs")[0].at("results").size(), 1U) << sarif;
  EXPECT_NE(read_text(file("a.xml")).find("<failure type=\"growing\""), std::string::npos);
  for (const char* name : {"a.md", "a.sarif", "a.xml", "a.txt"}) {
    EXPECT_NE(read_text(file(name)).find("keep_one"), std::string::npos) << name;
  }
}

TEST_F(Repeat, TheVariableTellsTheWorkToo) {
  const Output output = repeat("3", {"leak"});
  EXPECT_EQ(output.status, 1) << output.err;
  EXPECT_EQ(output.out, "work 1\nwork 2\nwork 4\n");
  EXPECT_NE(output.err.find("keep_one"), std::string::npos) << output.err;
}

TEST_F(Repeat, WhatIsMadeOnceOrFillsUpDoesNot) {
  const Output once = repeat("4", {"once", "{}00"});
  EXPECT_EQ(once.status, 0) << once.err;
  EXPECT_EQ(once.out, "work 100\nwork 200\nwork 400\nwork 800\n");
  const Output cache = repeat("4", {"cache", "{}"});
  EXPECT_EQ(cache.status, 0) << cache.err;
  EXPECT_NE(cache.err.find("no leak: nothing holds more for more work"), std::string::npos)
      << cache.err;
}

TEST_F(Repeat, TheSameWorkIsSaid) {
  const Output same = repeat("3", {"same"});
  EXPECT_EQ(same.status, 0) << same.err;
  EXPECT_NE(same.err.find("3 repetitions of about the same work"), std::string::npos) << same.err;
}

// A leak by its growth in time, in each of two runs: it stands twice.
TEST_F(Repeat, OfTheSameWorkALeakMustShowTwice) {
  const Output output = run_under_seep({"--check", "--repeat", "2"}, {sample("lost_pointer"), "4"});
  EXPECT_EQ(output.status, 1) << output.err;
  EXPECT_NE(output.err.find("parse_line"), std::string::npos) << output.err;
}

TEST_F(Repeat, ARunThatFailsEndsIt) {
  const Output output = repeat("5", {"fails", "{}"});
  EXPECT_EQ(output.status, 3) << output.err;
  EXPECT_EQ(output.out, "work 1\nwork 2\nwork 4\n");
}

TEST_F(Repeat, SuppressionsHoldForRepetitionsToo) {
  const std::string file = (directory() / "a.supp").string();
  const Output generated = run({"/bin/sh", "-c", "echo leak:^keep_one$ > " + file});
  ASSERT_EQ(generated.status, 0);
  const Output output = repeat("4", {"leak", "{}"}, {"--suppressions", file});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_NE(output.err.find("1 suppressed"), std::string::npos) << output.err;
}

}  // namespace
}  // namespace seep::scenarios
