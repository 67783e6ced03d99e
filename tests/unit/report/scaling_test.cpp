// A report of every site grows with the number of sites, and no faster. Counted in allocations,
// which a loaded machine does not change: what is done for pairs of sites makes some for each pair.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "analyzer/report/blame.h"
#include "analyzer/report/build_report.h"
#include "analyzer/report/name_suspect.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace {

std::atomic<std::size_t> g_allocations{0};  // by this program; no order is needed

}  // namespace

void* operator new(std::size_t bytes) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) {
    return block;
  }
  throw std::bad_alloc();
}

void operator delete(void* block) noexcept {
  std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

namespace seep::report {
namespace {

// Of a report with a row for each of so many sites, whose ids are all the same at first.
std::size_t allocations_for(std::size_t sites) {
  model::Recording recording = recording_with_leak(7, 6400);
  recording.sites.resize(1 + sites, recording.sites[1]);
  Options options;
  options.by_site = true;
  options.top = 0;
  symbolize::Symbolizer symbolizer({});
  const std::size_t before = g_allocations;
  const model::Report report = build_report({recording}, options, symbolizer);
  EXPECT_EQ(report.suspects.size(), sites + 1);
  EXPECT_GT(to_json(report).size(), sites * 100);
  return g_allocations - before;
}

TEST(Scaling, AReportOfEverySiteGrowsWithTheirNumber) {
  const std::size_t few = allocations_for(400);
  const std::size_t many = allocations_for(1600);
  EXPECT_LT(many, 6 * few) << "4 would be linear, 16 quadratic";
}

TEST(Scaling, AnIdThatWasTakenIsNotTriedAgain) {
  std::vector<model::Suspect> suspects(1000);
  for (model::Suspect& suspect : suspects) {
    suspect.id = "0123456789abcdef";
    suspect.verdict = "steady";
  }
  EXPECT_EQ(make_ids_unique(suspects), suspects.size() - 1);
  for (std::size_t i = 1; i < suspects.size(); ++i) {
    EXPECT_EQ(suspects[i].id,
              derived_id("0123456789abcdef", "steady", static_cast<unsigned>(i - 1)))
        << "as before: ids hold across runs";
  }
}

// Names repeat: a frame of a stack costs characters in the text, and nothing else.
TEST(Scaling, AFrameIsWrittenWithoutATreeOfValues) {
  model::Report report = report_with_leak();
  const auto allocations = [&](std::size_t frames) {
    report.suspects[0].stack.assign(frames, frame("handle(int)", "server.cpp", 7));
    const std::size_t before = g_allocations;
    EXPECT_GT(to_json(report).size(), frames * 100);
    return g_allocations - before;
  };
  const std::size_t few = allocations(10);
  EXPECT_LT(allocations(5010), few + 5000 * 3) << "an object of ten fields makes more than thirty";
}

}  // namespace
}  // namespace seep::report
