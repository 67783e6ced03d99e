#include "analyzer/suppress/match.h"

#include <gtest/gtest.h>

#include "analyzer/suppress/built_in.h"
#include "analyzer/suppress/parse.h"

namespace seep::suppress {
namespace {

// strdup <- open_session(unsigned long) <- (no name, libplugin) <- main
const std::vector<Frame> kStack = {
    {.function = "strdup", .bare = "strdup", .linkage = "strdup", .module = "/usr/lib/libc.so.6"},
    {.function = "app::open_session(unsigned long)",
     .bare = "app::open_session",
     .linkage = "_ZN3app12open_sessionEm",
     .file = "/src/session.cpp",
     .module = "/opt/server",
     .line = 88},
    {.module = "/opt/libplugin.so"},
    {.function = "main",
     .bare = "main",
     .linkage = "main",
     .file = "/src/main.cpp",
     .module = "/opt/server",
     .line = 7}};

bool holds(const std::string& text, unsigned kinds = kAllKinds) {
  const Result<std::vector<Suppression>> list = parse(text, "x");
  EXPECT_TRUE(list.ok() && list->size() == 1) << text;
  return matches(list->front(), kStack, kinds);
}

bool block_holds(const std::string& frames, unsigned kinds = kAllKinds) {
  return holds("{\nname\nMemcheck:Leak\n" + frames + "}\n", kinds);
}

TEST(LeakSanitizerForm, MatchesFunctionFileOrModuleOfAnyFrame) {
  EXPECT_TRUE(holds("leak:open_session"));
  EXPECT_TRUE(holds("leak:^app::open_session(unsigned long)$"));
  EXPECT_TRUE(holds("leak:^app::open_session$")) << "without its parameters";
  EXPECT_TRUE(holds("leak:main.cpp"));
  EXPECT_TRUE(holds("leak:libplugin"));
  EXPECT_TRUE(holds("leak:^/opt/*.so$"));
  EXPECT_FALSE(holds("leak:close_session"));
  EXPECT_FALSE(holds("leak:^session.cpp"));
}

TEST(ValgrindForm, BeginsWithTheAllocationFunction) {
  EXPECT_TRUE(block_holds("fun:malloc\nfun:strdup\n"));
  EXPECT_TRUE(block_holds("fun:*alloc\nfun:strdup\n"));
  EXPECT_TRUE(block_holds("fun:malloc\n")) << "frames beyond the block are free";
  EXPECT_FALSE(block_holds("fun:strdup\n"));
  EXPECT_FALSE(block_holds("fun:open\nfun:strdup\n"));
  EXPECT_FALSE(block_holds("fun:malloc\nfun:main\n"));
  EXPECT_TRUE(block_holds("obj:*vgpreload_memcheck*\nfun:strdup\n"));
}

TEST(ValgrindForm, MatchesMangledAndOtherNames) {
  EXPECT_TRUE(block_holds("fun:malloc\nfun:strdup\nfun:_ZN3app12open_sessionEm\n"));
  EXPECT_TRUE(block_holds("fun:malloc\nfun:strdup\nfun:_ZN3app*\n"));
  EXPECT_TRUE(block_holds("fun:malloc\nfun:strdup\nfun:app::open_session\n"));
  EXPECT_FALSE(block_holds("fun:malloc\nfun:strdup\nfun:open_session\n")) << "whole names";
}

TEST(ValgrindForm, ModulesAndSources) {
  EXPECT_TRUE(block_holds("fun:malloc\nobj:*/libc.so.*\nsrc:session.cpp\nobj:*libplugin.so\n"));
  EXPECT_TRUE(block_holds("fun:malloc\nobj:*\nsrc:session.cpp:88\n"));
  EXPECT_FALSE(block_holds("fun:malloc\nobj:*\nsrc:session.cpp:89\n"));
  EXPECT_TRUE(block_holds("fun:malloc\nfun:*\nfun:*\nfun:*\nfun:main\n"));
  EXPECT_FALSE(block_holds("fun:malloc\nobj:libc.so.6\n"));
}

TEST(ValgrindForm, AnEllipsisIsAnyNumberOfFrames) {
  EXPECT_TRUE(block_holds("...\nfun:main\n"));
  EXPECT_TRUE(block_holds("...\nfun:malloc\n")) << "none as well";
  EXPECT_TRUE(block_holds("fun:malloc\n...\nsrc:session.cpp\n...\nfun:main\n...\n"));
  EXPECT_FALSE(block_holds("...\nfun:main\nfun:*\n"));
  EXPECT_FALSE(block_holds("...\nfun:main\n...\nsrc:session.cpp\n"));
}

TEST(ValgrindForm, AStackThatIsShorterThanTheBlockDoesNotMatch) {
  EXPECT_FALSE(block_holds("fun:malloc\nfun:*\nfun:*\nfun:*\nfun:*\nfun:*\n"));
}

TEST(ValgrindForm, KindsMustMeet) {
  EXPECT_TRUE(block_holds("match-leak-kinds: definite\nfun:malloc\n", kDefinite | kIndirect));
  EXPECT_FALSE(block_holds("match-leak-kinds: definite\nfun:malloc\n", kReachable));
  EXPECT_FALSE(block_holds("match-leak-kinds: none\nfun:malloc\n"));
}

TEST(BuiltIn, NoneSilencesOrdinaryCode) {
  ASSERT_FALSE(built_in().empty());
  for (const Suppression& suppression : built_in()) {
    EXPECT_TRUE(suppression.once_only);
    EXPECT_FALSE(matches(suppression, kStack, kAllKinds)) << suppression.name;
  }
}

}  // namespace
}  // namespace seep::suppress
