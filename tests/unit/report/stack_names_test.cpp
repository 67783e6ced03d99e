// What is stripped from a stack, what is blamed, and the id that must hold across builds.
#include <gtest/gtest.h>

#include "analyzer/report/blame.h"
#include "analyzer/report/frame_kind.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

constexpr const char* kLibc = "/lib/x86_64-linux-gnu/libc.so.6";
constexpr const char* kLibstdcxx = "/lib/x86_64-linux-gnu/libstdc++.so.6";

std::string bare(const char* function) {
  return bare_name(frame(function, nullptr, 0));
}

TEST(BareName, IsTheFunctionAlone) {
  EXPECT_EQ(bare("main"), "main");
  EXPECT_EQ(bare("operator new(unsigned long)"), "operator new");
  EXPECT_EQ(bare("operator new[](unsigned long, std::nothrow_t const&)"), "operator new[]");
  EXPECT_EQ(bare("void std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)"),
            "std::vector::_M_realloc_insert");
  EXPECT_EQ(bare("app::Cache::put(std::string const&)"), "app::Cache::put");
  EXPECT_EQ(bare("(anonymous namespace)::load(int)"), "(anonymous namespace)::load");
  EXPECT_EQ(bare("app::Less::operator()(int, int) const"), "app::Less::operator()");
  EXPECT_EQ(bare("parse_request.constprop.0"), "parse_request");
  EXPECT_EQ(bare("parse_request(char const*) [clone .part.1]"), "parse_request");
  EXPECT_EQ(bare("main::{lambda(std::string const&)#1}::operator()(std::string const&) const"),
            "main::{lambda(std::string const&)#1}::operator()");
  EXPECT_EQ(bare("std::ostream& std::operator<< <char>(std::ostream&, char const*)"),
            "std::operator<<");
  EXPECT_EQ(bare("bool operator< <int>(A<int> const&, A<int> const&)"), "operator<");
}

TEST(WithoutAllocator, BeginsAtTheCodeThatCalledIt) {
  const model::ReportStack stack = without_allocator(
      {frame("seep_record", nullptr, 0, "/usr/lib/libseep.so"), frame("malloc", nullptr, 0, kLibc),
       frame("operator new(unsigned long)", nullptr, 0, kLibstdcxx),
       frame("open_session", "a.cpp", 1), frame("malloc", "mine.cpp", 7)});
  ASSERT_EQ(stack.size(), 2U);
  EXPECT_EQ(*stack[0].function, "open_session");
}

TEST(WithoutAllocator, HasNoFrameOfThePreloadAnywhere) {
  const model::ReportStack stack = without_allocator(
      {frame("malloc", nullptr, 0, kLibc), frame("load", "a.cpp", 1), frame("main", "a.cpp", 2),
       frame("run_main", nullptr, 0, "/usr/lib/libseep.so"), frame("_start", nullptr, 0)});
  ASSERT_EQ(stack.size(), 3U);
  EXPECT_EQ(*stack[2].function, "_start");
}

TEST(WithoutAllocator, LeavesSomethingOfEveryStack) {
  const model::ReportStack stack =
      without_allocator({frame("malloc", nullptr, 0, kLibc), frame("mmap", nullptr, 0, kLibc)});
  ASSERT_EQ(stack.size(), 1U);
  EXPECT_TRUE(without_allocator({}).empty());
}

TEST(BlamedFrame, IsNotALibraryAndNotAWrapper) {
  EXPECT_EQ(blamed_frame({frame("std::__cxx11::basic_string<char>::_M_create(unsigned long&)",
                                "basic_string.tcc", 1, kLibstdcxx),
                          frame("g_malloc", nullptr, 0, "/lib/libglib-2.0.so.0"),
                          frame("zmalloc", "zmalloc.c", 100), frame("strdup", nullptr, 0, kLibc),
                          frame("createObject", "o.c", 3)}),
            4U);
  EXPECT_EQ(blamed_frame({frame("load", "a.cpp", 1), frame("main", "a.cpp", 2)}), 0U);
  EXPECT_EQ(blamed_frame({frame("strdup", nullptr, 0, kLibc)}), 0U) << "something must be read";
  EXPECT_EQ(blamed_frame({}), 0U);
}

TEST(SuspectId, HoldsWhenLinesAndAddressesChange) {
  const auto heap = model::SiteKind::kHeap;
  model::ReportStack stack = {frame("f", "/build/1/a.cpp", 10),
                              frame("main", "/build/1/m.cpp", 20)};
  const std::string id = suspect_id(heap, stack, 0);
  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  stack[0].line = 11;
  stack[0].file = "/build/2/a.cpp";
  stack[1].offset = 0x9999;
  EXPECT_EQ(suspect_id(heap, stack, 0), id);
  stack[1].function = "main2";
  EXPECT_EQ(suspect_id(heap, stack, 0), id) << "callers differ from path to path";
  stack[0].function = "g";
  EXPECT_NE(suspect_id(heap, stack, 0), id);
}

TEST(SiteId, IsOfAllFunctionsOutward) {
  const auto heap = model::SiteKind::kHeap;
  model::ReportStack stack = {frame("f", "/build/1/a.cpp", 10), frame("main", "m.cpp", 20)};
  BareNames names;
  const std::string id = site_id(heap, stack, 0, names);
  stack[1].line = 21;
  EXPECT_EQ(site_id(heap, stack, 0, names), id);
  stack[1].function = "main2";
  EXPECT_NE(site_id(heap, stack, 0, names), id);
}

TEST(DerivedId, DiffersByVerdictAndCopy) {
  const std::string id = "0123456789abcdef";
  EXPECT_EQ(derived_id(id, "steady", 0).size(), 16U);
  EXPECT_NE(derived_id(id, "steady", 0), id);
  EXPECT_NE(derived_id(id, "steady", 0), derived_id(id, "plateau", 0));
  EXPECT_NE(derived_id(id, "steady", 0), derived_id(id, "steady", 1));
}

TEST(SuspectId, DependsOnTheKindAndNotOnWhatIsInside) {
  const model::ReportStack inner = {frame("std::f()", "s.h", 1), frame("g", "a.cpp", 1)};
  const model::ReportStack other = {frame("std::h()", "s.h", 1), frame("g", "a.cpp", 1)};
  EXPECT_EQ(suspect_id(model::SiteKind::kHeap, inner, 1),
            suspect_id(model::SiteKind::kHeap, other, 1));
  EXPECT_NE(suspect_id(model::SiteKind::kHeap, inner, 1),
            suspect_id(model::SiteKind::kMmap, inner, 1));
}

TEST(SuspectId, WithoutNamesIsModuleAndOffset) {
  model::ReportFrame unnamed;
  unnamed.module = "/opt/1/libx.so";
  unnamed.offset = 0x10;
  model::ReportFrame elsewhere = unnamed;
  elsewhere.module = "/opt/2/libx.so";
  EXPECT_EQ(suspect_id(model::SiteKind::kHeap, {unnamed}, 0),
            suspect_id(model::SiteKind::kHeap, {elsewhere}, 0));
  elsewhere.offset = 0x20;
  EXPECT_NE(suspect_id(model::SiteKind::kHeap, {unnamed}, 0),
            suspect_id(model::SiteKind::kHeap, {elsewhere}, 0));
}

model::ReportFrame php(const char* function, const char* file, unsigned line) {
  model::ReportFrame script = frame(function, file, line, "");
  script.language = model::Language::kPhp;
  return script;
}

TEST(BlamedFrame, OfAScriptIsTheLineThatCalledAnInternalFunction) {
  const model::ReportStack stack = without_allocator(
      {php("str_repeat", nullptr, 0), php("Pool::run", "/srv/pool.php", 9),
       php("{main}", "/srv/index.php", 20), frame("_emalloc", nullptr, 0, "/usr/bin/php8.2")});
  EXPECT_EQ(blamed_frame(stack), 1U);
}

TEST(BlamedFrame, OfAScriptMayHaveTheNameOfAnAllocator) {
  EXPECT_EQ(blamed_frame({php("malloc", "/srv/pool.php", 9), php("{main}", "/srv/a.php", 1)}), 0U);
  EXPECT_EQ(without_allocator({php("malloc", "/srv/pool.php", 9)}).size(), 1U);
  EXPECT_EQ(bare_name(php("{closure:f8():38}", "/srv/pool.php", 38)), "{closure:f8():38}");
}

}  // namespace
}  // namespace seep::report
