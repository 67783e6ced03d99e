#include "tests/scenarios/harmless/harmless.h"

namespace seep::scenarios {

void Harmless::expect_equal(const Output& alone, const Output& tracked) {
  EXPECT_EQ(alone.status, tracked.status);
  EXPECT_EQ(alone.out, tracked.out);
  EXPECT_EQ(alone.err, tracked.err);
}

Output Harmless::expect_same(const Arguments& arguments, const Environment& settings) {
  const Output alone = run(arguments);
  Output tracked = run_preloaded(arguments, settings);
  expect_equal(alone, tracked);
  return tracked;
}

Json Harmless::only_report(const std::string& exe) {
  const auto paths = recordings(exe);
  EXPECT_EQ(paths.size(), 1U) << "recordings of " << exe;
  return paths.empty() ? Json::object() : report(paths.front(), {"--sites"});
}

void Harmless::expect_site(const Json& report, const std::string& site, std::uint64_t allocated,
                           std::uint64_t live) {
  ASSERT_TRUE(report.contains("suspects"));
  const Sums sums = sums_through(report, site);
  EXPECT_EQ(sums.allocated_blocks, allocated) << site;
  EXPECT_EQ(sums.live_blocks, live) << site;
}

Sums sums_at(const Json& report, const std::string& function) {
  Sums sums;
  for (const Json& suspect : report.at("suspects")) {
    const Json& stack = suspect.at("stack");
    if (stack.empty() || !passes_through(Json::array({stack.front()}), function)) {
      continue;
    }
    sums.live_bytes += suspect.at("live_bytes").get<std::uint64_t>();
    sums.live_blocks += suspect.at("live_blocks").get<std::uint64_t>();
    sums.allocated_blocks += suspect.at("allocated_blocks").get<std::uint64_t>();
    sums.freed_blocks += suspect.at("freed_blocks").get<std::uint64_t>();
  }
  return sums;
}

std::uint64_t loss(const Json& report, const std::string& name) {
  const auto found = report.find("losses");
  return found == report.end() ? 0 : found->value(name, std::uint64_t{0});
}

}  // namespace seep::scenarios
