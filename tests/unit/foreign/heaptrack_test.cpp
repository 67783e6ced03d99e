#include "analyzer/foreign/heaptrack.h"

#include "tests/unit/foreign/reports.h"

namespace seep::foreign {
namespace {

TEST(Heaptrack, StacksAreInnerFramesAndCallers) {
  const Log log = accepted(read_heaptrack(report("heaptrack.txt"), "ht.txt"));
  // One caller, what other callers made, and libc's buffer for stdout.
  ASSERT_EQ(log.leaks.size(), 3U);
  EXPECT_EQ(log.leaks[0].kind, Kind::kNotFreed);
  EXPECT_EQ(log.leaks[0].bytes, 14400U);
  EXPECT_FALSE(log.leaks[0].blocks);
  ASSERT_EQ(log.leaks[0].stack.size(), 10U);
  EXPECT_EQ(log.leaks[0].stack[8].function, "adopt");
  EXPECT_EQ(log.leaks[0].stack[8].line, 16U);
  EXPECT_EQ(log.leaks[0].stack[9].function, "main");
  EXPECT_EQ(log.leaks[0].stack[9].module, "/src/build/release/samples/shared_ptr_cycle");
  EXPECT_EQ(log.leaks[1].bytes, 14400U);
  EXPECT_EQ(log.leaks[1].stack.size(), 9U);
  EXPECT_EQ(log.leaks[2].bytes, 4100U);
  EXPECT_EQ(log.leaks[2].stack.front().function, "__GI__IO_file_doallocate");
  EXPECT_EQ(log.program, "/src/build/release/samples/shared_ptr_cycle");
  EXPECT_EQ(log.omitted, 0U);
  EXPECT_TRUE(log.rounded);
}

TEST(Heaptrack, AListingOfTheLargestOnlySaysSo) {
  const Log log = accepted(read_heaptrack(
      replaced(report("heaptrack.txt"), "memory leaked: 32.90K", "memory leaked: 1.20M"),
      "ht.txt"));
  EXPECT_NE(log.omitted, 0U);
}

TEST(Heaptrack, ForeignAndCutListingsAreRefused) {
  const std::string whole = report("heaptrack.txt");
  EXPECT_NE(refused(read_heaptrack("leaks\n", "f")).find("line 1: lists no leaks"),
            std::string::npos);
  EXPECT_NE(refused(read_heaptrack(whole.substr(0, whole.find("total memory")), "f"))
                .find("ends before its total"),
            std::string::npos);
  EXPECT_NE(refused(read_heaptrack(replaced(whole, "14.40K leaked", "14.4.0K leaked"), "f"))
                .find("line 26: a leak does not say its size"),
            std::string::npos);
}

TEST(Heaptrack, SizesBeyondAnyMemoryAreRefused) {
  EXPECT_NE(refused(read_heaptrack(replaced(report("heaptrack.txt"), "28.80K leaked over",
                                            "99999P leaked over"),
                                   "f"))
                .find("does not say its size"),
            std::string::npos);
}

}  // namespace
}  // namespace seep::foreign
