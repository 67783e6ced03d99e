// Which suspects fail, pass and are skipped.
#include "analyzer/export/junit.h"

#include <gtest/gtest.h>

namespace seep::exporters {
namespace {

class Junit : public ::testing::Test {
 protected:
  Junit() {
    report.processes.emplace_back();
    model::Suspect suspect;
    suspect.id = "0123456789abcdef";
    suspect.leak = true;
    suspect.behaviour = model::Behaviour::kGrowing;
    suspect.verdict = "growing";
    suspect.why = "grew";
    report.suspects.push_back(suspect);
  }

  [[nodiscard]] std::string text(const std::set<std::string>& not_judged = {}) const {
    std::string all;
    write_junit(report, not_judged, [&](std::string_view piece) { all += piece; });
    return all;
  }

  static bool says(const std::string& part, const std::string& text) {
    return text.find(part) != std::string::npos;
  }

  model::Report report;
};

TEST_F(Junit, ALeakIsAFailure) {
  EXPECT_TRUE(says("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\"", text())) << text();
  EXPECT_TRUE(says("<failure type=\"growing\"", text())) << text();
}

TEST_F(Junit, ALeakThatWasNotJudgedIsSkipped) {
  const std::string found = text({report.suspects[0].id});
  EXPECT_TRUE(says("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\"", found)) << found;
  EXPECT_TRUE(says("<skipped message=\"not judged", found)) << found;
}

TEST_F(Junit, WhatIsNoLeakPasses) {
  report.suspects[0].leak = false;
  report.suspects[0].behaviour = model::Behaviour::kSteady;
  EXPECT_TRUE(says("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\"", text())) << text();
}

TEST_F(Junit, ARunWithoutSuspectsIsAnEmptySuite) {
  report.suspects.clear();
  EXPECT_TRUE(says("tests=\"0\"", text())) << text();
}

}  // namespace
}  // namespace seep::exporters
