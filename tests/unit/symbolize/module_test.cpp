// Which file is taken for a recorded module, and what is said when there is none.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/symbolize/fixture.h"

namespace seep::symbolize {
namespace {

constexpr const char* kFunction = "address_in_inlined_function";
constexpr const char* kOtherId = "ab12000000000000000000000000000000000000";

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = testing::TempDir() + "seep_symbolize_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void expect_named(const model::ReportStack& stack) {
  ASSERT_EQ(stack.size(), 3U);
  EXPECT_EQ(stack[2].function, "garden::sow(int, char const*)");
  EXPECT_EQ(stack[2].line, line_of("outermost"));
}

void expect_unnamed(const model::ReportStack& stack) {
  ASSERT_EQ(stack.size(), 1U);
  EXPECT_FALSE(stack[0].function);
  EXPECT_FALSE(stack[0].file);
  EXPECT_FALSE(stack[0].line);
}

TEST(ModuleFiles, ThatHaveChangedLeaveFramesUnnamedAndAreReportedOnce) {
  Fixture fixture("known_build_id.so");
  const model::Node node = node_at(fixture.return_address(kFunction), false);
  model::Module module = fixture.module();
  module.build_id = kOtherId;
  Symbolizer symbolizer({});
  const model::ReportStack stack = symbolizer.frames(module, node);
  symbolizer.frames(module, node);
  expect_unnamed(stack);
  EXPECT_EQ(stack[0].module, module.path);
  EXPECT_EQ(stack[0].build_id, kOtherId);
  EXPECT_EQ(stack[0].offset, node.offset);
  EXPECT_EQ(symbolizer.warnings(),
            (std::vector<std::string>{
                module.path + " has changed since the recording (build-id ab1200000000, now " +
                std::string(SEEP_FIXTURE_BUILD_ID).substr(0, 12) +
                "): give the old file with --sysroot or --debug-dir"}));
}

TEST(ModuleFiles, ThatHadNoBuildIdButHaveOneNowAreChanged) {
  Fixture fixture("known_build_id.so");
  model::Module module = fixture.module();
  module.build_id.clear();
  Symbolizer symbolizer({});
  expect_unnamed(symbolizer.frames(module, node_at(fixture.return_address(kFunction), false)));
  EXPECT_EQ(symbolizer.warnings().size(), 1U);
}

TEST(ModuleFiles, ThatAreMissingLeaveFramesUnnamedAndAreReportedOnce) {
  model::Module module;
  module.path = "/nowhere/libgone.so";
  module.build_id = kOtherId;
  Symbolizer symbolizer({});
  expect_unnamed(symbolizer.frames(module, node_at(0x1234, false)));
  expect_unnamed(symbolizer.frames(module, node_at(0x5678, false)));
  ASSERT_EQ(symbolizer.warnings().size(), 1U);
  EXPECT_TRUE(symbolizer.warnings()[0].starts_with("/nowhere/libgone.so cannot be read"));
}

TEST(ModuleFiles, ThatAreMissingAreReplacedByTheirDebugFile) {
  Fixture fixture("by_build_id.so");
  model::Module module = fixture.module();
  module.path = "/nowhere/libgone.so";
  Options options;
  options.debug_dirs = {fixture_path("debug")};
  Symbolizer symbolizer(options);
  expect_named(symbolizer.frames(module, node_at(fixture.return_address(kFunction), false)));
  EXPECT_TRUE(symbolizer.warnings().empty());
}

TEST(ModuleFiles, ThatHaveChangedAreReplacedByTheOldOneOfADebugDirectory) {
  Fixture fixture("known_build_id.so");
  const TemporaryDirectory directory;
  std::filesystem::copy(fixture.module().path, directory.path() + "/dwarf5.so");
  model::Module module = fixture.module();
  module.path = fixture_path("dwarf5.so");  // another file with that path, as after an update
  Options options;
  options.debug_dirs = {directory.path()};
  Symbolizer symbolizer(options);
  expect_named(symbolizer.frames(module, node_at(fixture.return_address(kFunction), false)));
  EXPECT_TRUE(symbolizer.warnings().empty());
}

TEST(ModuleFiles, AreTakenFromTheSystemRoot) {
  Fixture fixture("known_build_id.so");
  const TemporaryDirectory root;
  std::filesystem::create_directories(root.path() + "/opt/lib");
  std::filesystem::copy(fixture.module().path, root.path() + "/opt/lib/libgarden.so");
  model::Module module = fixture.module();
  module.path = "/opt/lib/libgarden.so";
  Options options;
  options.sysroot = root.path() + "/";
  Symbolizer symbolizer(options);
  expect_named(symbolizer.frames(module, node_at(fixture.return_address(kFunction), false)));
}

TEST(ModuleFiles, ThatWereDeletedAndAreTheSameAgainAreUsed) {
  Fixture fixture("known_build_id.so");
  model::Module module = fixture.module();
  module.path += " (deleted)";
  Symbolizer symbolizer({});
  expect_named(symbolizer.frames(module, node_at(fixture.return_address(kFunction), false)));
  EXPECT_TRUE(symbolizer.warnings().empty());
}

TEST(ModuleFiles, ThatAreNoElfFilesAreReported) {
  const TemporaryDirectory directory;
  model::Module module;
  module.path = directory.path() + "/script";
  std::ofstream(module.path) << "#!/bin/sh\n";
  Symbolizer symbolizer({});
  expect_unnamed(symbolizer.frames(module, node_at(0x1234, false)));
  EXPECT_EQ(symbolizer.warnings().size(), 1U);
}

TEST(ModuleFiles, ThatAreCutDoNotStopTheReport) {
  Fixture fixture("known_build_id.so");
  const TemporaryDirectory directory;
  model::Module module = fixture.module();
  module.path = directory.path() + "/cut.so";
  const auto whole = std::filesystem::file_size(fixture.module().path);
  for (std::uintmax_t size = 0; size < whole; size += whole / 64 + 1) {
    std::filesystem::copy_file(fixture.module().path, module.path,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(module.path, size);
    Symbolizer symbolizer({});
    const model::ReportStack stack =
        symbolizer.frames(module, node_at(fixture.return_address(kFunction), false));
    EXPECT_FALSE(stack.empty()) << size;
  }
}

TEST(ModuleFiles, AreNotLookedForWhereThereIsNone) {
  Symbolizer symbolizer({});
  model::Module vdso;
  vdso.path = "[vdso]";
  expect_unnamed(symbolizer.frames(vdso, node_at(0x1234, false)));
  const model::ReportStack jit = symbolizer.frames(model::Module{}, node_at(0x7f0012345678, false));
  expect_unnamed(jit);
  EXPECT_EQ(jit[0].offset, 0x7f0012345678U);
  EXPECT_EQ(jit[0].build_id, std::nullopt);
  EXPECT_TRUE(symbolizer.warnings().empty());
}

}  // namespace
}  // namespace seep::symbolize
