// Every moment and every stack at which a program may allocate (programs/life.cpp, stacks.cpp,
// signal_storm.cpp, modules.c).
#include <cstdio>

#include "tests/scenarios/harmless/harmless.h"

namespace seep::scenarios {
namespace {

class Moments : public Harmless {
 protected:
  // A program of counted sites: every block is seen, and none lost but for what a stack may cost.
  Json counted(const Arguments& arguments) {
    expect_same(arguments);
    Json report = only_report(std::filesystem::path(arguments.front()).filename());
    expect_no_block_lost(report);
    return report;
  }

  static void expect_no_block_lost(const Json& report) {
    for (const char* name : {"blocks_not_recorded", "stacks_not_recorded", "missed_free",
                             "foreign_free", "maps_not_recorded", "snapshots_failed"}) {
      EXPECT_EQ(loss(report, name), 0U) << name;
    }
  }
};

TEST_F(Moments, ALifeFromPreinitToTheLastDestructor) {
  expect_same({program("life")});
  const Json report = only_report("life");
  EXPECT_EQ(loss(report, "foreign_free"), 1U) << "made in an IFUNC resolver, before the start";
  expect_site(report, "site_preinit", 1, 0);
  for (const char* site : {"site_early_constructor", "site_late_constructor", "site_main",
                           "site_thread", "site_thread_end", "site_library_constructor"}) {
    expect_site(report, site, 1, std::string(site) == "site_library_constructor" ? 0 : 1);
  }
  expect_site(report, "site_key_end", 3, 3);
}

TEST_F(Moments, QuickExitRunsItsHandlers) {
  EXPECT_EQ(expect_same({program("life"), "quick"}).status, 3);
}

TEST_F(Moments, MainsThreadMayEndBeforeTheOthers) {
  EXPECT_EQ(expect_same({program("life"), "thread_exit"}).status, 0);
}

TEST_F(Moments, ALifeThatIsDormantOrSampled) {
  expect_same({program("life")}, {{"SEEP_START", "paused"}});
  expect_same({program("life")}, {{"SEEP_MODE", "sample"}, {"SEEP_SAMPLE_BYTES", "1K"}});
}

TEST_F(Moments, ThreadsWithTheSmallestStack) {
  const Json report = counted({program("stacks"), "small_stacks", "60"});
  expect_site(report, "site_small_stack", 600, 600);
}

TEST_F(Moments, ThreadsWithTheSmallestStackTakeSnapshots) {
  expect_same({program("stacks"), "small_stacks", "400"},
              {{"SEEP_INTERVAL", "1ms"}, {"SEEP_KEEP", "8"}});
  EXPECT_GT(only_report("stacks").at("snapshots").size(), 4U);
}

TEST_F(Moments, CoroutinesWhoseStacksComeAndGo) {
  expect_site(counted({program("stacks"), "coroutines", "200"}), "site_coroutine", 800, 800);
}

TEST_F(Moments, CoroutinesOnWhatIsLeftOfAStack) {
  expect_site(counted({program("stacks"), "shrunk_stacks", "50"}), "site_on_shrunk_stack", 100,
              100);
}

TEST_F(Moments, CoroutinesOfBoost) {
  const Json report = counted({program("boost_coroutines"), "100"});
  expect_site(report, "site_fiber", 201, 201);
}

TEST_F(Moments, MachineCodeWithoutTables) {
  expect_site(counted({program("stacks"), "jit", "100"}), "site_below_jit", 300, 300);
}

TEST_F(Moments, AssemblyWithoutTables) {
  expect_site(counted({program("stacks"), "assembly", "100"}), "site_below_assembly", 100, 100);
}

TEST_F(Moments, ExceptionsThroughFramesOfLibc) {
  const Output output = expect_same({program("stacks"), "exceptions", "300"});
  EXPECT_EQ(output.out, "caught 300\nexceptions: done\n");
  const Json report = only_report("stacks");
  const Sums sums = sums_through(report, "site_before_throw");
  EXPECT_EQ(sums.allocated_blocks, sums.live_blocks);
  EXPECT_EQ(sums.live_blocks, 300U);
  expect_no_block_lost(report);
}

TEST_F(Moments, TheEndOfTheStack) {
  EXPECT_EQ(expect_same({program("stacks"), "overflow"}).status, 128 + 11);
}

TEST_F(Moments, TheEndOfTheStackWithAHandler) {
  const Output output = expect_same({program("stacks"), "overflow_handled"});
  EXPECT_EQ(output.status, 7);
  EXPECT_EQ(output.out, "handled\n");
  EXPECT_GT(sums_through(only_report("stacks"), "site_deep").live_blocks, 100U);
}

TEST_F(Moments, HandlersThatInterruptAllocations) {
  const std::string allocator = program("libsignal_safe_malloc.so");
  const Arguments arguments = {program("signal_storm"), "storm", "1"};
  ASSERT_EQ(run(arguments, {{"LD_PRELOAD", allocator}}).status, 0);
  const Output output = run_preloaded(
      arguments,
      {{"LD_PRELOAD", library() + ":" + allocator}, {"SEEP_INTERVAL", "5ms"}, {"SEEP_KEEP", "8"}});
  EXPECT_EQ(output.status, 0);
  unsigned made = 0;
  unsigned in_main = 0;
  ASSERT_EQ(std::sscanf(output.out.c_str(), "made %u and %u, wrong 0", &made, &in_main), 2)
      << output.out;
  EXPECT_GT(made, 500U);
  const Json report = only_report("signal_storm");
  // Not all stacks through these: a handler interrupts them anywhere.
  EXPECT_EQ(sums_at(report, "site_in_handler").live_blocks, made);
  EXPECT_EQ(sums_at(report, "site_in_handler").allocated_blocks, made);
  EXPECT_EQ(sums_at(report, "site_in_main").live_blocks, 0U);
  EXPECT_EQ(sums_at(report, "site_in_main").allocated_blocks, in_main);
  EXPECT_EQ(sums_at(report, "site_moved_in_main").live_blocks, 0U);
  EXPECT_EQ(sums_at(report, "site_moved_in_main").allocated_blocks, in_main);
  expect_no_block_lost(report);
}

// Nothing may stay taken that a hook or a snapshot had when it was left.
TEST_F(Moments, HandlersThatLeaveAllocationsForGood) {
  const std::string allocator = program("libsignal_safe_malloc.so");
  const Arguments arguments = {program("signal_storm"), "leaps", "1"};
  const Output alone = run(arguments, {{"LD_PRELOAD", allocator}});
  const Output tracked = run_preloaded(
      arguments,
      {{"LD_PRELOAD", library() + ":" + allocator}, {"SEEP_INTERVAL", "2ms"}, {"SEEP_KEEP", "8"}});
  expect_equal(alone, tracked);
  EXPECT_EQ(tracked.out, "many leaps: 1\nwrong 0\n");
  const Json report = only_report("signal_storm");
  EXPECT_EQ(loss(report, "snapshots_failed"), 0U);
  ASSERT_GT(report.at("snapshots").size(), 4U);
  EXPECT_EQ(report.at("snapshots").back().at("trigger"), "exit");
}

// Handlers so often that they would leave the program no time if each waited for itself.
TEST_F(Moments, HandlersThatMapMemoryAllTheTime) {
  const Output output = expect_same({program("signal_storm"), "mapsfast", "1"});
  EXPECT_EQ(output.status, 0);
}

TEST_F(Moments, HandlersThatMapMemory) {
  const Output output = expect_same({program("signal_storm"), "maps", "1"},
                                    {{"SEEP_INTERVAL", "5ms"}, {"SEEP_KEEP", "8"}});
  EXPECT_EQ(output.status, 0);
  const Json report = only_report("signal_storm");
  EXPECT_EQ(loss(report, "maps_not_recorded"), 0U);
  EXPECT_EQ(sums_through(report, "maps").live_blocks, 0U);
  EXPECT_GT(sums_through(report, "map_in_handler").allocated_blocks, 100U);
}

TEST_F(Moments, HandlersOnASmallAlternateStack) {
  const Json report = counted({program("signal_storm"), "alternate", "500"});
  expect_site(report, "site_on_alternate_stack", 500, 500);
}

TEST_F(Moments, HandlersThatLeaveByJumping) {
  const Json report = counted({program("signal_storm"), "jumps", "500"});
  expect_site(report, "site_before_jump", 500, 500);
}

TEST_F(Moments, LibrariesThatComeAndGoInManyThreads) {
  const Arguments arguments = {program("modules"), "storm", program("libmodule_plugin_a.so"),
                               program("libmodule_plugin_b.so"), "1"};
  EXPECT_EQ(expect_same(arguments).status, 0);
  const Json report = only_report("modules");
  EXPECT_EQ(sums_through(report, "plugin_block").live_blocks, 0U);
  expect_no_block_lost(report);
}

TEST_F(Moments, LibrariesWithoutStartFilesThatComeAndGo) {
  const Arguments arguments = {program("modules"), "storm", program("libmodule_bare.so"),
                               program("libmodule_plugin_b.so"), "1"};
  EXPECT_EQ(expect_same(arguments).status, 0);
  const Json report = only_report("modules");
  EXPECT_EQ(sums_through(report, "plugin_block").live_blocks, 0U);
  expect_no_block_lost(report);
}

// dlopen looks at who calls it: seep must not be that. And what the flag of PHP's extensions binds
// to libc is counted as well.
TEST_F(Moments, LibrariesThatLibrariesFindBesideThemselves) {
  const Arguments arguments = {program("modules"), "find", program("libmodule_finder.so"),
                               "libmodule_found.so", "101"};
  EXPECT_EQ(expect_same(arguments).out, "found 1\n");
  expect_site(only_report("modules"), "plugin_block", 101, 101);
}

TEST_F(Moments, LibrariesInNamespacesOfTheirOwn) {
  const Json report =
      counted({program("modules"), "namespaces", program("libmodule_plugin_a.so"), "8"});
  expect_site(report, "site_beside_namespaces", 8, 8);
}

}  // namespace
}  // namespace seep::scenarios
