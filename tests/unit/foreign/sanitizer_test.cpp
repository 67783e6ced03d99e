#include "analyzer/foreign/sanitizer.h"

#include "tests/unit/foreign/reports.h"

namespace seep::foreign {
namespace {

void expect_lost_at_exit(const Log& log) {
  ASSERT_EQ(log.leaks.size(), 3U);
  EXPECT_EQ(log.leaks[0].kind, Kind::kDirect);
  EXPECT_EQ(log.leaks[0].bytes, 16U);
  EXPECT_EQ(log.leaks[0].blocks, 1U);
  EXPECT_EQ(log.leaks[1].kind, Kind::kIndirect);
  EXPECT_EQ(log.leaks[1].bytes, 4800U);
  EXPECT_EQ(log.leaks[2].bytes, 3184U);
  ASSERT_EQ(log.leaks[2].stack.size(), 2U);
}

TEST(Sanitizer, GccsReport) {
  const Log log = accepted(read_sanitizer(report("lsan_gcc.log"), "lsan.log"));
  expect_lost_at_exit(log);
  EXPECT_EQ(log.leaks[2].stack[0].function, "__interceptor_malloc");
  EXPECT_EQ(log.leaks[2].stack[1].function, "load_options");
  EXPECT_EQ(log.leaks[2].stack[1].file, "/src/samples/lost_at_exit.c");
  EXPECT_EQ(log.leaks[2].stack[1].line, 22U);
}

TEST(Sanitizer, ClangsReportHasColumnsAndBuildIds) {
  const Log log = accepted(read_sanitizer(report("asan_clang.log"), "asan.log"));
  expect_lost_at_exit(log);
  EXPECT_EQ(log.leaks[0].stack[0].module, "/src/build/lae.asan");
  EXPECT_EQ(log.leaks[0].stack[0].offset, 0xa416eU);
  EXPECT_EQ(log.leaks[0].stack[1].file, "/src/samples/lost_at_exit.c");
  EXPECT_EQ(log.leaks[0].stack[1].line, 22U);
}

TEST(Sanitizer, WithoutSymbolsThereAreModulesAndOffsets) {
  const Log log = accepted(read_sanitizer(report("asan_unsymbolized.log"), "asan.log"));
  expect_lost_at_exit(log);
  EXPECT_EQ(log.leaks[0].stack[1].function, "");
  EXPECT_EQ(log.leaks[0].stack[1].module, "/src/build/lae.gasan");
  EXPECT_EQ(log.leaks[0].stack[1].offset, 0x126dU);
}

TEST(Sanitizer, WhatItSuppressedAndOmittedIsCounted) {
  const Log suppressed = accepted(read_sanitizer(report("lsan_suppressed.log"), "lsan.log"));
  EXPECT_EQ(suppressed.suppressed, 400U);
  EXPECT_EQ(suppressed.suppressions, std::vector<std::string>{"load_options"});
  EXPECT_TRUE(suppressed.leaks.empty());
  const Log omitted = accepted(read_sanitizer(report("lsan_omitted.log"), "lsan.log"));
  EXPECT_EQ(omitted.omitted, 1U);
  ASSERT_EQ(omitted.leaks.size(), 1U);
  EXPECT_EQ(omitted.leaks[0].stack[0].function, "operator new(unsigned long)");
  EXPECT_EQ(omitted.leaks[0].stack[13].module, "/src/build/release/samples/shared_ptr_cycle");
}

TEST(Sanitizer, FramesOfAllForms) {
  Frame frame;
  ASSERT_TRUE(parse_sanitizer_frame("  #3 0x5 in f(int, char) /a folder/x.cpp:3:7", frame));
  EXPECT_EQ(frame.function, "f(int, char)");
  EXPECT_EQ(frame.file, "/a folder/x.cpp");
  EXPECT_EQ(frame.line, 3U);
  frame = {};
  ASSERT_TRUE(parse_sanitizer_frame(
      "#0 0x5 in main::{lambda(int)#1}::operator()(int) const a/b.cc:7", frame));
  EXPECT_EQ(frame.function, "main::{lambda(int)#1}::operator()(int) const");
  EXPECT_EQ(frame.file, "a/b.cc");
  frame = {};
  ASSERT_TRUE(parse_sanitizer_frame("#0 0x5 in g (/lib/libg.so.1+0x1f)", frame));
  EXPECT_EQ(frame.function, "g");
  EXPECT_EQ(frame.offset, 0x1fU);
  frame = {};
  ASSERT_TRUE(parse_sanitizer_frame("#0 0x5 in <null> (/lib/libg.so.1)", frame));
  EXPECT_EQ(frame.function, "");
  EXPECT_EQ(frame.module, "/lib/libg.so.1");
  EXPECT_FALSE(parse_sanitizer_frame("#x 0x5 in g", frame));
  EXPECT_FALSE(parse_sanitizer_frame("#1 main", frame));
}

TEST(Sanitizer, ColoursAndEmptyStacksAreRead) {
  const Log log = accepted(read_sanitizer(
      "==1==ERROR: LeakSanitizer: detected memory leaks\n"
      "\x1b[1m\x1b[34mDirect leak of 7 byte(s) in 1 object(s) allocated from:\n\x1b[0m"
      "    <empty stack>\n\n"
      "SUMMARY: LeakSanitizer: 7 byte(s) leaked in 1 allocation(s).\n",
      "f"));
  ASSERT_EQ(log.leaks.size(), 1U);
  EXPECT_EQ(log.leaks[0].bytes, 7U);
  EXPECT_TRUE(log.leaks[0].stack.empty());
}

TEST(Sanitizer, AnotherErrorIsNoSearchForLeaks) {
  EXPECT_NE(refused(read_sanitizer("==1==ERROR: AddressSanitizer: heap-use-after-free\n"
                                   "SUMMARY: AddressSanitizer: heap-use-after-free a.c:3 in f\n",
                                   "f"))
                .find("holds no report"),
            std::string::npos);
}

TEST(Sanitizer, NothingWrittenIsNoLeak) {
  const Log log = accepted(read_sanitizer("\n", "lsan.log"));
  EXPECT_TRUE(log.leaks.empty());
  EXPECT_EQ(log.tool, Tool::kLeakSanitizer);
}

TEST(Sanitizer, TheProgramsOwnOutputIsPassedOver) {
  const Log log =
      accepted(read_sanitizer("#1 hello\n" + report("lsan_gcc.log") + "bye\n", "lsan.log"));
  expect_lost_at_exit(log);
}

TEST(Sanitizer, ForeignAndCutReportsAreRefusedWithTheirLine) {
  const std::string whole = report("lsan_gcc.log");
  EXPECT_NE(refused(read_sanitizer("segmentation fault\n", "f")).find("line 1: holds no report"),
            std::string::npos);
  EXPECT_NE(refused(read_sanitizer(whole.substr(0, whole.find("SUMMARY")), "f"))
                .find("line 16: the report is cut"),
            std::string::npos);
  EXPECT_NE(refused(read_sanitizer(replaced(whole, "4800 byte", "48x0 byte"), "f"))
                .find("line 9: a leak does not say its size"),
            std::string::npos);
  EXPECT_NE(refused(read_sanitizer(whole.substr(0, whole.find("    #0")), "f"))
                .find("a leak has no call stack"),
            std::string::npos);
  EXPECT_NE(refused(read_sanitizer("==1==LeakSanitizer has encountered a fatal error.\n", "f"))
                .find("could not look for leaks"),
            std::string::npos);
}

}  // namespace
}  // namespace seep::foreign
