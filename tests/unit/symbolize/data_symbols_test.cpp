// Names of variables by address: which one holds it, and where in it.
#include <gtest/gtest.h>

#include "tests/unit/symbolize/fixture.h"

namespace seep::symbolize {
namespace {

// "name+offset" of the byte so far behind `begin`; "?" where no variable holds it.
std::string name_at(const char* file, std::uint64_t distance) {
  Fixture fixture(file);
  Symbolizer symbolizer({});
  const auto name = symbolizer.data(fixture.module(), fixture.address_of("begin") + distance);
  return name ? name->name + "+" + std::to_string(name->offset) : "?";
}

TEST(DataSymbols, NameGlobalStaticAndFunctionLocalVariables) {
  EXPECT_EQ(name_at("data.so", 0), "begin+0");
  EXPECT_EQ(name_at("data.so", 64), "g_cache+0");
  EXPECT_EQ(name_at("data.so", 96), "app::find()::table+0");
}

TEST(DataSymbols, TellWhereInTheVariableAnAddressLies) {
  EXPECT_EQ(name_at("data.so", 63), "begin+63");
  EXPECT_EQ(name_at("data.so", 72), "g_cache+8");
}

TEST(DataSymbols, TellTheInnermostOfNestedOnes) {
  EXPECT_EQ(name_at("data.so", 144), "outer+0");
  EXPECT_EQ(name_at("data.so", 168), "member+8");
  EXPECT_EQ(name_at("data.so", 176), "outer+32");
}

TEST(DataSymbols, PreferTheNameThatPeopleWrite) {
  EXPECT_EQ(name_at("data.so", 128), "public_name+0");
}

TEST(DataSymbols, NameNothingBetweenVariables) {
  EXPECT_EQ(name_at("data.so", 112), "?");
  EXPECT_EQ(name_at("data.so", 208), "?");
  EXPECT_EQ(name_at("data.so", 1 << 20), "?");
}

TEST(DataSymbols, OfAStrippedFileAreTheExportedOnes) {
  EXPECT_EQ(name_at("data_stripped.so", 8), "begin+8");
  EXPECT_EQ(name_at("data_stripped.so", 64), "?");
}

TEST(DataSymbols, DoNotTakeThreadLocalOffsetsForAddresses) {
  Fixture fixture("data.so");
  Symbolizer symbolizer({});
  EXPECT_FALSE(symbolizer.data(fixture.module(), 16).has_value());
}

TEST(DataSymbols, AreNoneForAModuleWithoutAFile) {
  Symbolizer symbolizer({});
  model::Module module;
  module.path = "/no/such/file";
  EXPECT_FALSE(symbolizer.data(module, 0x1000).has_value());
}

}  // namespace
}  // namespace seep::symbolize
