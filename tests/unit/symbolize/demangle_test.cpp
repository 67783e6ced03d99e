#include "analyzer/symbolize/demangle.h"

#include <gtest/gtest.h>

#include <string>

namespace seep::symbolize {
namespace {

TEST(Demangle, GivesTheParametersOfACppFunction) {
  EXPECT_EQ(demangle("_ZN6garden3sowEiPKc"), "garden::sow(int, char const*)");
}

TEST(Demangle, LeavesOutTheResultOfATemplate) {
  EXPECT_EQ(demangle("_Z4rakeIiEPvT_"), "rake<int>(int)");
}

TEST(Demangle, NamesTheAnonymousNamespace) {
  EXPECT_EQ(demangle("_ZN12_GLOBAL__N_13sowEv"), "(anonymous namespace)::sow()");
}

TEST(Demangle, NamesConstructorsAlikeWhateverTheirVariant) {
  EXPECT_EQ(demangle("_ZN3BedC1Ev"), "Bed::Bed()");
  EXPECT_EQ(demangle("_ZN3BedC2Ev"), "Bed::Bed()");
}

TEST(Demangle, DropsTheHashOfTheOlderRustMangling) {
  EXPECT_EQ(demangle("_ZN4plot4grow17h0123456789abcdefE"), "plot::grow");
}

TEST(Demangle, WritesRustsTypesAndPathsAsRustDoes) {
  EXPECT_EQ(
      demangle("_ZN51_$LT$plot..Bed$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE"),
      "<plot::Bed as core::ops::drop::Drop>::drop");
}

TEST(Demangle, KnowsTheNewerRustMangling) {
  EXPECT_EQ(demangle("_RNvCs1234_4plot4grow"), "plot::grow");
  EXPECT_EQ(demangle("_RINvNtC3std3mem8align_ofjE"), "std::mem::align_of::<usize>");
}

TEST(Demangle, DropsWhatACompilerAddsToPartsAndCopies) {
  EXPECT_EQ(demangle("sow.cold"), "sow");
  EXPECT_EQ(demangle("sow.part.0.isra.0"), "sow");
  EXPECT_EQ(demangle("_ZN6garden3sowEv.constprop.0"), "garden::sow()");
  EXPECT_EQ(demangle("_ZN4plot4grow17h0123456789abcdefE.llvm.1234"), "plot::grow");
}

TEST(Demangle, KeepsDotsThatBelongToTheName) {
  EXPECT_EQ(demangle("main.main"), "main.main");
  EXPECT_EQ(demangle("sow.coldest"), "sow.coldest");
}

TEST(Demangle, DropsTheVersionOfASymbol) {
  EXPECT_EQ(demangle("malloc@@GLIBC_2.2.5"), "malloc");
  EXPECT_EQ(demangle("memcpy@GLIBC_2.2.5"), "memcpy");
}

TEST(Demangle, LeavesOtherNamesAsTheyAre) {
  EXPECT_EQ(demangle("main"), "main");
  EXPECT_EQ(demangle("_start"), "_start");
  EXPECT_EQ(demangle(""), "");
  EXPECT_EQ(demangle("_ZN"), "_ZN");
}

TEST(Demangle, SurvivesANameMadeToExhaustTheStack) {
  const std::string deep = "_Z1f" + std::string(100000, 'P') + "i";
  EXPECT_EQ(demangle(deep), deep);
}

}  // namespace
}  // namespace seep::symbolize
