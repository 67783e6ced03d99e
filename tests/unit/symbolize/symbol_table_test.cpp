// Names where there is no debug information: which symbol holds an address, and how sure that is.
#include <gtest/gtest.h>

#include "tests/unit/symbolize/fixture.h"

namespace seep::symbolize {
namespace {

// In the order of symbol_addresses in symbols.S.
enum Symbol { kFirstExported, kBetween, kGap, kSecondExported, kWithoutSize, kInOtherSection };

struct Name {
  std::optional<std::string> function;
  bool nearest = false;
  bool operator==(const Name&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Name& name) {
  return out << name.function.value_or("?") << (name.nearest ? " (nearest)" : "");
}

Name name_at(Fixture& fixture, Symbol symbol, unsigned distance, bool exact_pc) {
  Symbolizer symbolizer({});
  const model::ReportStack stack = symbolizer.frames(
      fixture.module(), node_at(fixture.symbol_address(symbol) + distance, exact_pc));
  EXPECT_EQ(stack.size(), 1U);
  return {stack[0].function, stack[0].nearest_symbol};
}

Name name_at(const char* file, Symbol symbol) {
  Fixture fixture(file);
  return name_at(fixture, symbol, 4, true);
}

TEST(Symbols, NameTheFunctionThatHoldsTheAddress) {
  EXPECT_EQ(name_at("symbols.so", kFirstExported), (Name{"first_exported"}));
  EXPECT_EQ(name_at("symbols.so", kBetween), (Name{"between"}));
  EXPECT_EQ(name_at("symbols_stripped.so", kFirstExported), (Name{"first_exported"}));
  EXPECT_EQ(name_at("symbols_stripped.so", kSecondExported), (Name{"second_exported"}));
}

TEST(Symbols, DoNotReachBehindTheEndOfAFunctionWhenAllAreKnown) {
  EXPECT_EQ(name_at("symbols.so", kGap), Name{});
}

TEST(Symbols, AreMarkedAsNearestWhenOnlyTheExportedOnesAreKnown) {
  EXPECT_EQ(name_at("symbols_stripped.so", kBetween), (Name{"first_exported", true}));
  EXPECT_EQ(name_at("symbols_stripped.so", kGap), (Name{"first_exported", true}));
}

TEST(Symbols, AreMarkedAsNearestWithoutASize) {
  EXPECT_EQ(name_at("symbols.so", kWithoutSize), (Name{"without_size", true}));
}

TEST(Symbols, DoNotReachIntoAnotherSection) {
  EXPECT_EQ(name_at("symbols.so", kInOtherSection), Name{});
  EXPECT_EQ(name_at("symbols_stripped.so", kInOtherSection), Name{});
}

TEST(Symbols, AreNoneForAnAddressOutsideOfTheCode) {
  Fixture fixture("symbols.so");
  EXPECT_EQ(name_at(fixture, kFirstExported, 0x10000000, true), Name{});
  EXPECT_EQ(name_at(fixture, kInOtherSection, 0xFFFF, true), Name{});
}

TEST(Symbols, TakeAReturnAddressBehindAFunctionForACallInIt) {
  Fixture fixture("symbols.so");
  EXPECT_EQ(name_at(fixture, kBetween, 0, false), (Name{"first_exported"}));
  EXPECT_EQ(name_at(fixture, kBetween, 0, true), (Name{"between"}));
}

}  // namespace
}  // namespace seep::symbolize
