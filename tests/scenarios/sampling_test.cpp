// SEEP_MODE=sample: what is known of a program is estimated within the stated error, and its leaks
// are found. Chance decides, so tolerances are in standard errors: four of them fail a sound build
// once in sixteen thousand comparisons.
#include <algorithm>
#include <cmath>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

constexpr std::uint64_t kBlocks = 800;
constexpr std::uint64_t kFreed = 300;
constexpr std::uint64_t kThreads = 3;
constexpr std::uint64_t kBytes = 96;  // as in programs/exact_counts.cpp
constexpr double kSigmas = 4.5;

// One of each way to allocate: malloc, zeroed, grown, aligned, C++.
const std::vector<std::string> kSites = {
    "site_malloc",       "site_calloc",   "site_realloc",        "site_realloc_null",
    "site_reallocarray", "site_new",      "site_posix_memalign", "site_aligned_alloc",
    "site_new_array",    "site_memalign", "site_new_nothrow",    "site_new_aligned"};

double error_through(const Json& report, const std::string& function) {
  double error = 0;
  for (const Json& suspect : suspects_through(report, function)) {
    error = std::hypot(error, suspect.at("live_bytes_error").get<double>());
  }
  return error;
}

// Snapshots often enough to judge three seconds on a busy machine.
Environment sampled_every(const std::string& sample_bytes) {
  return {{"SEEP_MODE", "sample"}, {"SEEP_SAMPLE_BYTES", sample_bytes}, {"SEEP_INTERVAL", "100ms"}};
}

class Sampling : public Scenario {
 protected:
  Json run_sampled(const Arguments& arguments, const std::string& sample_bytes) {
    const std::size_t before = recordings().size();
    const Output output = run_preloaded(arguments, sampled_every(sample_bytes));
    EXPECT_EQ(output.status, 0);
    EXPECT_EQ(output.err, "");
    const auto paths = recordings();
    EXPECT_EQ(paths.size(), before + 1);
    return paths.empty() ? Json::object() : report(newest(paths), {"--sites"});
  }

  // Process ids need not ascend; times do.
  static std::filesystem::path newest(const std::vector<std::filesystem::path>& paths) {
    return *std::max_element(paths.begin(), paths.end(), [](const auto& a, const auto& b) {
      return std::filesystem::last_write_time(a) < std::filesystem::last_write_time(b);
    });
  }
};

TEST_F(Sampling, EstimatesWhatIsAliveWithinItsError) {
  constexpr int kRuns = 3;
  constexpr double kTruth = kThreads * (kBlocks - kFreed) * kBytes;
  double sum_of_z = 0;
  for (int i = 0; i < kRuns; ++i) {
    const Json report = run_sampled({program("exact_counts"), std::to_string(kBlocks),
                                     std::to_string(kFreed), std::to_string(kThreads)},
                                    "1K");
    ASSERT_TRUE(report.contains("suspects"));
    EXPECT_EQ(report.at("process").at("mode"), "sample");
    EXPECT_EQ(report.at("process").at("sample_bytes"), 1024);
    EXPECT_GT(report.at("totals").at("live_bytes_error"), 0);
    expect_nothing_lost(report);
    for (const std::string& site : kSites) {
      const double off = static_cast<double>(sums_through(report, site).live_bytes) - kTruth;
      const double error = error_through(report, site);
      ASSERT_GT(error, 0) << site;
      EXPECT_LT(std::fabs(off), kSigmas * error) << site;
      sum_of_z += off / error;
    }
  }
  // No site alone betrays a small bias; all of them together do.
  EXPECT_LT(std::fabs(sum_of_z), kSigmas * std::sqrt(kRuns * static_cast<double>(kSites.size())));
}

// A recorded block stands for 1/p; the number of blocks ever made has the variance N(1-p)/p.
TEST_F(Sampling, EstimatesWhatWasEverAllocated) {
  const Json report = run_sampled({program("exact_counts"), std::to_string(kBlocks),
                                   std::to_string(kFreed), std::to_string(kThreads)},
                                  "1K");
  ASSERT_TRUE(report.contains("suspects"));
  constexpr double kMade = kThreads * kBlocks;
  const double p = -std::expm1(-static_cast<double>(kBytes) / 1024);
  const double error = std::sqrt(kMade * (1 - p) / p);
  for (const std::string& site : kSites) {
    const Sums sums = sums_through(report, site);
    EXPECT_EQ(sums.allocated_blocks - sums.freed_blocks, sums.live_blocks) << site;
    if (site == "site_realloc") {
      continue;  // makes its blocks small first: twice as many births
    }
    EXPECT_NEAR(static_cast<double>(sums.allocated_blocks), kMade, kSigmas * error) << site;
  }
}

// Every release of a recorded block is seen, whichever thread it comes from: none stays behind.
TEST_F(Sampling, MissesNoReleaseInChurnAcrossThreads) {
  const Json report = run_sampled({program("churn"), "2", "4"}, "1K");
  ASSERT_TRUE(report.contains("suspects"));
  expect_nothing_lost(report);
  const Sums sums = sums_through(report, "make_block");
  EXPECT_GT(sums.allocated_blocks, 10'000U);
  EXPECT_EQ(sums.live_blocks, 0U);
  EXPECT_EQ(sums.freed_blocks, sums.allocated_blocks);
}

TEST_F(Sampling, RanksTheLeakFirst) {
  const Json report = run_sampled({sample("growing_map"), "3"}, "1K");
  ASSERT_FALSE(report.at("suspects").empty());
  const Json& first = report.at("suspects").front();
  EXPECT_TRUE(first.at("leak").get<bool>()) << first.at("why");
  EXPECT_FALSE(first.at("live_bytes_error").is_null());
}

// The worker's blocks are sampled apart from its parent's, and what it inherited is not its growth.
TEST_F(Sampling, FollowsAForkedWorker) {
  const Output output = run_preloaded({sample("forked_worker"), "3"}, sampled_every("1K"));
  EXPECT_EQ(output.status, 0);
  ASSERT_EQ(recordings("forked_worker").size(), 2U);
  const Json both = report(recordings_directory());
  const Json& first = both.at("suspects").front();
  EXPECT_TRUE(first.at("leak").get<bool>()) << first.at("why");
  EXPECT_TRUE(passes_through(first.at("stack"), "serve_job")) << functions_of(first.at("stack"));
  const double off = first.at("live_bytes").get<double>() - 1500 * 188;
  EXPECT_LT(std::fabs(off), kSigmas * first.at("live_bytes_error").get<double>());
}

TEST_F(Sampling, SaysSoInTheText) {
  run_sampled({sample("growing_map"), "1"}, "4K");
  const Output text = run({seep_command(), "report", recordings().front().string(), "--all"});
  EXPECT_NE(text.out.find("sampled every 4,096 bytes"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find(" ± "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("in about "), std::string::npos) << text.out;
}

}  // namespace
}  // namespace seep::scenarios
