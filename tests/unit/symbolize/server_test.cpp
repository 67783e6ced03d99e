// Files fetched by build-id. DEBUGINFOD_URLS is set for the whole process, by CMakeLists.txt.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/unit/symbolize/fixture.h"

namespace seep::symbolize {
namespace {

constexpr const char* kFunction = "address_in_inlined_function";

// Every test begins with an empty cache, so that it asks the server.
class DebugServer : public testing::Test {
 protected:
  DebugServer() {
    std::string name = testing::TempDir() + "seep_server_cache_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    cache_ = name;
    ::setenv("DEBUGINFOD_CACHE_PATH", cache_.c_str(), 1);
  }
  ~DebugServer() override { std::filesystem::remove_all(cache_); }

 private:
  std::string cache_;
};

TEST_F(DebugServer, GivesTheDebugInformationOfAStrippedFile) {
  const model::ReportStack stack = Fixture("by_build_id.so").frames(kFunction);
  ASSERT_EQ(stack.size(), 3U);
  EXPECT_EQ(stack[0].line, line_of("innermost"));
}

TEST_F(DebugServer, GivesAFileThatIsNotHere) {
  Fixture fixture("by_build_id.so");
  model::Module module = fixture.module();
  module.path = "/nowhere/libgarden.so";
  Symbolizer symbolizer({});
  const model::ReportStack stack =
      symbolizer.frames(module, node_at(fixture.return_address(kFunction), false));
  ASSERT_EQ(stack.size(), 3U);
  EXPECT_EQ(stack[2].line, line_of("outermost"));
  EXPECT_EQ(stack[2].module, "/nowhere/libgarden.so");
  EXPECT_TRUE(symbolizer.warnings().empty());
}

TEST_F(DebugServer, ThatDoesNotKnowAFileLeavesTheWarning) {
  model::Module module;
  module.path = "/nowhere/libgone.so";
  module.build_id = "ab12000000000000000000000000000000000000";
  Symbolizer symbolizer({});
  EXPECT_FALSE(symbolizer.frames(module, node_at(0x1234, false)).back().function);
  EXPECT_EQ(symbolizer.warnings().size(), 1U);
}

}  // namespace
}  // namespace seep::symbolize
