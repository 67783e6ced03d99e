#include "analyzer/foreign/valgrind.h"

#include "tests/unit/foreign/reports.h"

namespace seep::foreign {
namespace {

void expect_lost_at_exit(const Log& log) {
  ASSERT_EQ(log.leaks.size(), 5U);
  EXPECT_EQ(log.leaks[0].kind, Kind::kIndirect);
  EXPECT_EQ(log.leaks[0].bytes, 3184U);
  EXPECT_EQ(log.leaks[0].blocks, 199U);
  EXPECT_EQ(log.leaks[1].kind, Kind::kReachable);
  // 8,000 bytes with what is lost with it; 16 are its own.
  EXPECT_EQ(log.leaks[4].kind, Kind::kDirect);
  EXPECT_EQ(log.leaks[4].bytes, 16U);
  EXPECT_EQ(log.leaks[4].blocks, 1U);
  ASSERT_EQ(log.leaks[4].stack.size(), 3U);
  EXPECT_EQ(log.leaks[4].stack[0].function, "malloc");
  EXPECT_EQ(log.leaks[4].stack[1].function, "load_options");
  EXPECT_EQ(log.leaks[4].stack[1].line, 22U);
  EXPECT_EQ(log.leaks[4].stack[1].address, 0x109399U);
  EXPECT_EQ(log.leaks[4].stack[2].line, 44U);
  EXPECT_EQ(log.program, "/src/build/release/samples/lost_at_exit");
  EXPECT_TRUE(log.lists_leaks);
  EXPECT_TRUE(log.lists_reachable);
}

TEST(ValgrindXml, GivesEachLossRecord) {
  const Log log = accepted(read_valgrind(report("valgrind.xml"), "vg.xml"));
  expect_lost_at_exit(log);
  EXPECT_EQ(log.leaks[4].stack[1].file, "/src/samples/lost_at_exit.c");
  EXPECT_EQ(log.leaks[4].stack[1].module, "/src/build/release/samples/lost_at_exit");
  EXPECT_EQ(log.leaks[4].line, 180U);
}

TEST(ValgrindXml, SaysWhatWasSuppressedAndNotShown) {
  const Log log = accepted(read_valgrind(report("valgrind_suppressed.xml"), "vg.xml"));
  EXPECT_TRUE(log.leaks.empty());
  EXPECT_EQ(log.suppressed, 1U);
  EXPECT_EQ(log.suppressions, std::vector<std::string>{"known"});
  EXPECT_FALSE(log.lists_reachable);
  EXPECT_FALSE(log.lists_indirect);
}

TEST(ValgrindXml, CutAnywhereIsRefusedWithItsLine) {
  const std::string whole = report("valgrind.xml");
  for (std::size_t size = 40; size + 20 < whole.size(); size += 97) {
    const std::string message = refused(read_valgrind(whole.substr(0, size), "vg.xml"));
    EXPECT_EQ(message.rfind("seep: vg.xml: line ", 0), 0U) << message;
  }
}

TEST(ValgrindXml, ForeignAndHostileDocumentsAreRefused) {
  const std::string whole = report("valgrind.xml");
  EXPECT_NE(refused(read_valgrind("<html><body/></html>", "f")).find("<html> is no report"),
            std::string::npos);
  EXPECT_NE(
      refused(read_valgrind(replaced(whole, "<protocoltool>memcheck", "<protocoltool>drd"), "f"))
          .find("line 6: is of Valgrind's drd"),
      std::string::npos);
  EXPECT_NE(refused(read_valgrind(whole + whole, "f")).find("second document"), std::string::npos);
  EXPECT_NE(refused(read_valgrind("<!DOCTYPE a [<!ENTITY b \"c\">]><valgrindoutput/>", "f"))
                .find("document type"),
            std::string::npos);
  std::string deep = "<valgrindoutput>";
  for (int i = 0; i < 100; ++i) {
    deep += "<a>";
  }
  EXPECT_NE(refused(read_valgrind(deep, "f")).find("nested too deeply"), std::string::npos);
  EXPECT_NE(refused(read_valgrind(replaced(whole, "<line>22", "<line>-22"), "f")).find("no number"),
            std::string::npos);
  EXPECT_NE(refused(read_valgrind(replaced(whole, "3,184 bytes in", "some bytes in"), "f"))
                .find("does not say its size"),
            std::string::npos);
}

TEST(ValgrindText, GivesEachLossRecord) {
  const Log log = accepted(read_valgrind(report("valgrind.log"), "vg.log"));
  expect_lost_at_exit(log);
  EXPECT_EQ(log.leaks[4].stack[1].file, "lost_at_exit.c");
  EXPECT_EQ(log.leaks[4].stack[0].module,
            "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so");
}

TEST(ValgrindText, NamesWithBracketsAreWhole) {
  const Log log = accepted(read_valgrind(report("valgrind_inlined.log"), "vg.log"));
  ASSERT_EQ(log.leaks.size(), 2U);
  ASSERT_EQ(log.leaks[0].stack.size(), 11U);
  EXPECT_EQ(log.leaks[0].stack[0].function, "operator new(unsigned long)");
  EXPECT_EQ(log.leaks[0].stack[9].function, "(anonymous namespace)::adopt()");
  EXPECT_EQ(log.leaks[0].stack[9].line, 17U);
}

TEST(ValgrindText, SaysWhatItWasNotAskedToList) {
  const Log brief = accepted(read_valgrind(report("valgrind_default.log"), "vg.log"));
  EXPECT_EQ(brief.leaks.size(), 1U);
  EXPECT_FALSE(brief.lists_reachable);
  EXPECT_FALSE(brief.lists_indirect);
  const Log sums = accepted(read_valgrind(report("valgrind_sums.log"), "vg.log"));
  EXPECT_FALSE(sums.lists_leaks);
}

// Its loss records twice: as of a check that the program asked for, and in the summary.
std::string twice(const std::string& whole, const std::string& records, const std::string& before) {
  const std::size_t begin = whole.find(before);
  return whole.substr(0, begin) + records + whole.substr(begin);
}

TEST(ValgrindText, OfSeveralChecksTheLastCounts) {
  const std::string whole = report("valgrind.log");
  const std::size_t head = whole.find("==", whole.find("HEAP SUMMARY"));
  const std::string records =
      whole.substr(head, whole.rfind('\n', whole.find("LEAK SUMMARY")) + 1 - head);
  const std::string prefix = whole.substr(0, whole.find(' ') + 1);
  const Log log = accepted(read_valgrind(twice(whole, records, prefix + "HEAP SUMMARY"), "f"));
  expect_lost_at_exit(log);
  const std::string changed =
      replaced(whole, "3,184 bytes in 199", "3,184 (+16) bytes in 199 (+1)");
  EXPECT_EQ(accepted(read_valgrind(changed, "f")).leaks.size(), 4U);
}

TEST(ValgrindText, WhatIsNotListedIsUnknown) {
  std::string without = report("valgrind.log");
  for (const std::string kind : {"are indirectly lost", "are still reachable"}) {
    for (std::size_t at = 0; (at = without.find(kind)) != std::string::npos;) {
      const std::size_t begin = without.rfind('\n', at) + 1;
      without.erase(begin, without.find('\n', at) + 1 - begin);
    }
  }
  const Log log = accepted(read_valgrind(without, "f"));
  EXPECT_FALSE(log.lists_indirect);
  EXPECT_FALSE(log.lists_reachable);
  EXPECT_TRUE(log.lists_possible);
  const Log sums = accepted(read_valgrind(report("valgrind_sums.log"), "f"));
  EXPECT_FALSE(sums.lists_indirect || sums.lists_possible || sums.lists_reachable);
}

TEST(ValgrindXml, WithoutLeakCheckNothingIsListed) {
  const std::string whole = report("valgrind.xml");
  const Log none =
      accepted(read_valgrind(replaced(whole, "--leak-check=full", "--leak-check=no"), "f"));
  EXPECT_FALSE(none.lists_leaks || none.lists_possible || none.lists_reachable);
  const Log implied = accepted(read_valgrind(replaced(whole, "--leak-check=full", "-v"), "f"));
  EXPECT_TRUE(implied.lists_leaks);
}

TEST(ValgrindXml, OfSeveralChecksTheLastCounts) {
  const std::string whole = report("valgrind.xml");
  const std::size_t begin = whole.find("<error>", whole.find("FINISHED"));
  const std::string first = whole.substr(begin, whole.find("</error>") + 8 - begin);
  const std::string state = "<state>RUNNING";
  const std::size_t status = whole.find("</status>", whole.find(state)) + 9;
  const Log log =
      accepted(read_valgrind(whole.substr(0, status) + first + whole.substr(status), "f"));
  EXPECT_EQ(log.leaks.size(), 5U);
  const std::string changed =
      replaced(whole, "3,184 bytes in 199", "3,184 (+16) bytes in 199 (+1)");
  EXPECT_EQ(accepted(read_valgrind(changed, "f")).leaks.size(), 4U);
}

TEST(ValgrindText, ForeignAndCutLogsAreRefused) {
  const std::string whole = report("valgrind.log");
  EXPECT_NE(refused(read_valgrind("all is well\n", "f")).find("no log of Valgrind's memcheck"),
            std::string::npos);
  EXPECT_NE(refused(read_valgrind("", "f")).find("line 1: the file is empty"), std::string::npos);
  EXPECT_NE(refused(read_valgrind(whole.substr(0, whole.find("HEAP SUMMARY")), "f"))
                .find("ends before its HEAP SUMMARY"),
            std::string::npos);
  EXPECT_NE(refused(read_valgrind(whole.substr(0, whole.find("8,000 (16 direct")), "f"))
                .find("ends before its ERROR SUMMARY"),
            std::string::npos);
  EXPECT_NE(refused(read_valgrind(replaced(whole, "3,184 bytes", "many bytes"), "f"))
                .find("line 12: a loss record"),
            std::string::npos);
  EXPECT_NE(refused(read_valgrind(std::string(100'000, 'x'), "f")).find("longer than"),
            std::string::npos);
}

}  // namespace
}  // namespace seep::foreign
