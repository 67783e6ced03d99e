// Programs whose allocator is not libc's: linked with them, or preloaded in either order.
#include <ostream>
#include <utility>

#include "tests/scenarios/harmless/harmless.h"

namespace seep::scenarios {
namespace {

constexpr std::uint64_t kBlocks = 600;
constexpr std::uint64_t kThreads = 3;
constexpr std::uint64_t kBytes = 96;  // as in programs/allocator_counts.cpp

const std::vector<std::string> kSites = {
    "site_malloc",    "site_calloc",      "site_reallocarray",   "site_aligned_alloc",
    "site_memalign",  "site_realloc",     "site_posix_memalign", "site_new",
    "site_new_array", "site_new_nothrow", "site_new_aligned",    "site_reallocarray_grown"};

struct Allocator {
  std::string name;
  std::string file;  // to preload
};

// For the names of tests.
void PrintTo(const Allocator& allocator, std::ostream* out) {
  *out << allocator.name;
}

class Allocators : public Harmless, public ::testing::WithParamInterface<Allocator> {
 protected:
  // Prints the name of the allocator that it got.
  Output count(const std::string& name, const std::string& preload) {
    const Output output =
        run_preloaded({program(name), std::to_string(kBlocks)}, {{"LD_PRELOAD", preload}});
    EXPECT_EQ(output.status, 0);
    EXPECT_EQ(output.err, "");
    return output;
  }

  void expect_exact(const std::string& name) {
    const Json report = only_report(name);
    for (const std::string& site : kSites) {
      const Sums sums = sums_at(report, site);
      EXPECT_EQ(sums.live_blocks, kThreads * kBlocks * 2 / 3) << site;
      EXPECT_EQ(sums.live_bytes, kThreads * kBlocks * 2 / 3 * kBytes) << site;
      const bool twice = site == "site_realloc" || site == "site_reallocarray_grown";
      EXPECT_EQ(sums.allocated_blocks, kThreads * kBlocks * (twice ? 2 : 1)) << site;
    }
    expect_nothing_lost(report);
  }
};

TEST_P(Allocators, LinkedAreCountedExactly) {
  const Output output = count("with_" + GetParam().name, library());
  EXPECT_EQ(output.out, GetParam().name + ": done\n");
  expect_exact("with_" + GetParam().name);
}

TEST_P(Allocators, PreloadedBehindSeepAreCountedExactly) {
  const Output output = count("allocator_counts", library() + ":" + GetParam().file);
  EXPECT_EQ(output.out, GetParam().name + ": done\n");
  expect_exact("allocator_counts");
}

// Nothing can be seen then; the program must run as ever, and the report say so.
TEST_P(Allocators, PreloadedBeforeSeepAreNamedAsUnseen) {
  const Output output = count("allocator_counts", GetParam().file + ":" + library());
  EXPECT_EQ(output.out, GetParam().name + ": done\n");
  const auto paths = recordings("allocator_counts");
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(loss(report(paths.front()), "allocators_unseen"), 1U);
  const Output text = run({seep_command(), "report", paths.front().string()});
  EXPECT_NE(text.out.find("put it first"), std::string::npos) << text.out;
}

// Other allocators put two small blocks into the 16 bytes of one entry.
TEST_P(Allocators, KeepTinyBlocksApart) {
  constexpr std::uint64_t kCount = 300;
  const std::string preload = library() + ":" + GetParam().file;
  const Output output =
      run_preloaded({program("tiny_blocks"), std::to_string(kCount)}, {{"LD_PRELOAD", preload}});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.out, "wrong 0\n");
  const Json report = only_report("tiny_blocks");
  for (const char* site : {"site_malloc", "site_calloc", "site_new"}) {
    const Sums sums = sums_at(report, site);
    EXPECT_EQ(sums.allocated_blocks, 15 * kCount) << site;
    EXPECT_EQ(sums.live_blocks, 15 * kCount * 2 / 3) << site;
  }
  expect_nothing_lost(report);
}

// `seep run` puts libseep.so first and keeps the rest.
TEST_P(Allocators, PreloadedByTheUserAreCountedExactlyUnderSeepRun) {
  const Output output = run({seep_command(), "run", "--dir", recordings_directory().string(), "--",
                             program("allocator_counts"), std::to_string(kBlocks)},
                            {{"LD_PRELOAD", GetParam().file}});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.out, GetParam().name + ": done\n");
  expect_exact("allocator_counts");
}

INSTANTIATE_TEST_SUITE_P(Others, Allocators,
                         ::testing::Values(Allocator{"jemalloc", SEEP_jemalloc},
                                           Allocator{"tcmalloc", SEEP_tcmalloc},
                                           Allocator{"mimalloc", SEEP_mimalloc}),
                         [](const auto& instance) { return instance.param.name; });

// docs/compatibility.md: they are not hooked, and what passes by them is counted.
class OwnEntries : public Allocators {};

// A program that finds a `mallocx` believes in jemalloc.
TEST_F(OwnEntries, AreNotThereWithoutTheirAllocator) {
  EXPECT_EQ(expect_same({program("allocator_entries"), "100"}).out, "no jemalloc\n");
}

TEST_F(OwnEntries, PassBlocksByUsAndAreCounted) {
  const Output output = run_preloaded({program("allocator_entries"), "100"},
                                      {{"LD_PRELOAD", library() + ":" SEEP_jemalloc}});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.out, "released 100 and 100\n");
  const Json report = only_report("allocator_entries");
  EXPECT_EQ(sums_at(report, "site_released_by_dallocx").live_blocks, 1U);
  EXPECT_EQ(sums_at(report, "site_made_by_mallocx").allocated_blocks, 0U);
  EXPECT_GE(loss(report, "missed_free"), 99U);
  EXPECT_EQ(loss(report, "foreign_free"), 100U);
}

class OwnMalloc : public Allocators {};

TEST_F(OwnMalloc, LinkedIntoTheProgramIsNamedAsUnseen) {
  expect_same({program("with_own_malloc"), "600"});
  const auto paths = recordings("with_own_malloc");
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(loss(report(paths.front()), "allocators_unseen"), 1U);
}

// The calls that the program counts are the same: none of ours is added, none kept from it. libc
// makes one less for a thread that gets the stack of one that has ended, which is a matter of luck:
// none is kept for that.
TEST_F(OwnMalloc, ThatPassesCallsOnIsSeen) {
  const Output output =
      expect_same({"/usr/bin/env", "GLIBC_TUNABLES=glibc.pthread.stack_cache_size=0",
                   program("with_forwarding_malloc"), "600"});
  EXPECT_NE(output.out.find("were called"), std::string::npos);
  const Json report = only_report("with_forwarding_malloc");
  EXPECT_EQ(loss(report, "allocators_unseen"), 0U);
  EXPECT_EQ(loss(report, "missed_free"), 0U);
  for (const std::string& site : kSites) {
    EXPECT_EQ(sums_through(report, site).live_blocks, kThreads * kBlocks * 2 / 3) << site;
  }
}

}  // namespace
}  // namespace seep::scenarios
