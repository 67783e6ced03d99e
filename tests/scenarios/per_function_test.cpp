// `report --per FUNCTION`: the calls of a function as units of work, in a program that knows
// nothing of it.
#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

class PerFunction : public Scenario {
 protected:
  // The report per `function` of a run of programs/calls.cpp; `calls_` is what it printed.
  Json report_per(const std::string& what, const std::string& function) {
    const Output output =
        run_preloaded({program("calls"), what, "3"}, {{"SEEP_INTERVAL", "100ms"}});
    EXPECT_EQ(output.status, 0) << output.err;
    calls_ = std::stod(output.out);
    EXPECT_GT(calls_, 1000);
    return report(recordings("calls").front(), {"--per", function});
  }

  static const Json& leak_of(const Json& report) {
    EXPECT_TRUE(report.at("suspects").front().at("leak").get<bool>());
    return report.at("suspects").front();
  }

  double calls_ = 0;
};

TEST_F(PerFunction, CallsAreCountedByWhatEachOfThemAllocates) {
  const Json report = report_per("once", "handle");
  EXPECT_EQ(report.at("work").at("done"), calls_);
  EXPECT_EQ(report.at("work").at("unit"), "call");
  const std::string counted_by = report.at("work").at("counted_by").get<std::string>();
  EXPECT_EQ(counted_by.rfind("calls of handle, counted by the ", 0), 0U) << counted_by;
  EXPECT_NE(counted_by.find("allocations in "), std::string::npos) << counted_by;
  // The leak of each place that it is called from: a third and two thirds of the calls.
  double bytes = 0;
  for (const Json& suspect : suspects_through(report, "keep_some")) {
    bytes += suspect.at("growth_bytes_per_unit").get<double>();
  }
  EXPECT_NEAR(bytes, 70.0 / 7, 0.2);
}

TEST_F(PerFunction, AFunctionIsFoundWithItsClassToo) {
  const Json report = report_per("once", "Server::handle");
  EXPECT_EQ(report.at("work").at("done"), calls_);
}

TEST_F(PerFunction, TheLeakItselfCountsWhereThereIsNothingElse) {
  const Json report = report_per("leak", "leak_only");
  EXPECT_EQ(report.at("work").at("done"), calls_);
  EXPECT_NEAR(leak_of(report).at("growth_bytes_per_unit").get<double>(), 70, 0.5);
  EXPECT_NEAR(leak_of(report).at("growth_blocks_per_unit").get<double>(), 1, 0.01);
}

TEST_F(PerFunction, AContainerThatMakesRoomNowAndThenDoesNotCount) {
  const Json report = report_per("queue", "handle_next");
  EXPECT_EQ(report.at("work").at("done"), calls_);
}

TEST_F(PerFunction, ARecursionIsOneCall) {
  const Json report = report_per("recursive", "handle");
  EXPECT_EQ(report.at("work").at("done"), calls_);
}

TEST_F(PerFunction, AFunctionThatNobodyCalledIsWrongUsage) {
  run_preloaded({program("calls"), "leak", "0.2"});
  const Output output =
      run({seep_command(), "report", "--per", "no_such", recordings("calls").front().string()});
  EXPECT_EQ(output.status, 2);
  EXPECT_EQ(output.out, "");
  EXPECT_NE(output.err.find("no allocation has no_such in its call stack"), std::string::npos)
      << output.err;
}

}  // namespace
}  // namespace seep::scenarios
