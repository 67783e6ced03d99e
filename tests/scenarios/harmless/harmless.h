// The fixture of the tests that show that seep does no harm: a program runs alone and under the
// preload, and must print the same and end the same.
#pragma once

#include <string>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {

class Harmless : public Scenario {
 protected:
  // Runs it both ways; fails the test where output or status differ. What the preloaded run gave.
  Output expect_same(const Arguments& arguments, const Environment& settings = {});
  // The same with what a run gave that stands for both.
  void expect_equal(const Output& alone, const Output& tracked);
  // The report of the one recording there is of `exe`, by site.
  Json only_report(const std::string& exe);
  // Blocks alive and ever made at a site, and that none was lost.
  void expect_site(const Json& report, const std::string& site, std::uint64_t allocated,
                   std::uint64_t live);
};

// Sums over the suspects whose innermost function this is. With --sites.
Sums sums_at(const Json& report, const std::string& function);

// Of a report; 0 when there is no such loss.
std::uint64_t loss(const Json& report, const std::string& name);

}  // namespace seep::scenarios
