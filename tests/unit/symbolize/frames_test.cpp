// Functions, files, lines and inlined frames from debug information, in every form it comes in.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "tests/unit/symbolize/fixture.h"

namespace seep::symbolize {
namespace {

constexpr const char* kInlined = "address_in_inlined_function";
constexpr const char* kHidden = "address_in_hidden_function";

std::vector<std::string> inlined_chain() {
  return {fmt::format("garden::Bed<int>::plant(int) const frames.cpp:{}", line_of("innermost")),
          fmt::format("garden::rake(int) frames.cpp:{}", line_of("middle")),
          fmt::format("garden::sow(int, char const*) frames.cpp:{}", line_of("outermost"))};
}

// "frames.cpp:12" a frame.
std::vector<std::string> positions(const model::ReportStack& stack) {
  std::vector<std::string> lines;
  for (const std::string& line : described(stack)) {
    lines.push_back(line.substr(line.rfind(' ') + 1));
  }
  return lines;
}

std::vector<std::string> positions_by_addr2line(const std::string& file, std::uint64_t address) {
  const std::string command = fmt::format("{} -i -s -e '{}' {:#x}", SEEP_ADDR2LINE, file, address);
  FILE* output = ::popen(command.c_str(), "r");
  EXPECT_NE(output, nullptr);
  std::vector<std::string> lines;
  char line[4096];
  while (output != nullptr && std::fgets(line, sizeof line, output) != nullptr) {
    const std::string text(line);
    lines.push_back(text.substr(0, text.find_first_of(" \n")));  // without "(discriminator 1)"
  }
  if (output != nullptr) {
    EXPECT_EQ(::pclose(output), 0) << command;
  }
  return lines;
}

class FormsOfDebugInformation : public testing::TestWithParam<const char*> {};

TEST_P(FormsOfDebugInformation, GiveTheInlinedFramesInnermostFirst) {
  EXPECT_EQ(described(Fixture(GetParam()).frames(kInlined)), inlined_chain());
}

TEST_P(FormsOfDebugInformation, MarkAllButTheCompiledFunctionAsInlined) {
  std::vector<bool> inlined;
  for (const model::ReportFrame& frame : Fixture(GetParam()).frames(kInlined)) {
    inlined.push_back(frame.inlined);
    EXPECT_FALSE(frame.nearest_symbol);
  }
  EXPECT_EQ(inlined, (std::vector<bool>{true, true, false}));
}

// GCC gives these functions no mangled name, and Clang does: it has parameters, and another name
// for the lambda.
TEST_P(FormsOfDebugInformation, NameTheScopesOfAFunctionWithInternalLinkage) {
  const model::ReportStack stack = Fixture(GetParam()).frames(kHidden);
  ASSERT_EQ(stack.size(), 1U);
  EXPECT_TRUE(stack[0].function->starts_with("garden::(anonymous namespace)::Shed::open"))
      << *stack[0].function;
  EXPECT_EQ(stack[0].line, line_of("hidden"));
}

TEST_P(FormsOfDebugInformation, NameALambdaByTheFunctionAroundIt) {
  const model::ReportStack stack = Fixture(GetParam()).frames("address_in_lambda");
  ASSERT_EQ(stack.size(), 1U);
  EXPECT_TRUE(stack[0].function->starts_with("garden::water(int)::")) << *stack[0].function;
  EXPECT_NE(stack[0].function->find("::operator()"), std::string::npos) << *stack[0].function;
  EXPECT_EQ(stack[0].line, line_of("lambda"));
}

TEST_P(FormsOfDebugInformation, PreferTheNameThatCallersWrite) {
  EXPECT_EQ(Fixture(GetParam()).frames("address_in_aliased_function").back().function, "gather");
}

TEST_P(FormsOfDebugInformation, GiveAbsolutePathsOfFilesThatExist) {
  for (const model::ReportFrame& frame : Fixture(GetParam()).frames(kInlined)) {
    ASSERT_TRUE(frame.file);
    EXPECT_TRUE(frame.file->starts_with('/')) << *frame.file;
    EXPECT_TRUE(std::filesystem::exists(*frame.file)) << *frame.file;
  }
}

TEST_P(FormsOfDebugInformation, DemangleRust) {
  Fixture fixture(GetParam());
  EXPECT_EQ(fixture.frames("address_in_legacy_rust").back().function, "plot::grow");
  EXPECT_EQ(fixture.frames("address_in_rust").back().function, "plot::grow");
}

INSTANTIATE_TEST_SUITE_P(Symbolizer, FormsOfDebugInformation,
                         testing::Values("dwarf4.so", "dwarf5.so", "dwarf4_from_above.so",
                                         "dwarf5_from_above.so", "compressed.so", "split.so",
                                         "no_build_id.so", "known_build_id.so", "by_link.so"),
                         [](const testing::TestParamInfo<const char*>& form) {
                           const std::string file(form.param);
                           return file.substr(0, file.find('.'));
                         });

TEST(Frames, AgreeWithAddr2line) {
  for (const char* file : {"dwarf4.so", "dwarf5.so"}) {
    for (const char* function : {kInlined, kHidden, "address_in_rust"}) {
      Fixture fixture(file);
      EXPECT_EQ(positions(fixture.frames(function)),
                positions_by_addr2line(fixture.module().path, fixture.return_address(function) - 1))
          << file << ' ' << function;
    }
  }
}

TEST(Frames, ComeFromADebugFileFoundByBuildId) {
  Options options;
  options.debug_dirs = {fixture_path("debug")};
  EXPECT_EQ(described(Fixture("by_build_id.so").frames(kInlined, options)), inlined_chain());
}

TEST(Frames, ComeFromADebugFileBelowARelativeDirectory) {
  Options options;
  options.debug_dirs = {std::filesystem::relative(fixture_path("debug")).string()};
  EXPECT_EQ(described(Fixture("by_build_id.so").frames(kInlined, options)), inlined_chain());
}

TEST(Frames, HaveNoLinesWithoutTheDebugFile) {
  for (const model::ReportFrame& frame : Fixture("by_build_id.so").frames(kInlined)) {
    EXPECT_FALSE(frame.file);
    EXPECT_FALSE(frame.line);
  }
}

// The bytes of blocks.S, by their distance from its start.
std::vector<std::string> frames_in_blocks(unsigned distance) {
  Fixture fixture("blocks.so");
  Symbolizer symbolizer({});
  const std::uint64_t start = fixture.symbol_address(0);
  return described(symbolizer.frames(fixture.module(), node_at(start + distance, true)));
}

TEST(Frames, FindAnInlinedCallBehindABlockThatOverlapsIt) {
  EXPECT_EQ(frames_in_blocks(16), (std::vector<std::string>{"inner ?:?", "outer ?:7"}));
  EXPECT_EQ(frames_in_blocks(12), (std::vector<std::string>{"outer ?:?"}));
  EXPECT_EQ(frames_in_blocks(20), (std::vector<std::string>{"outer ?:?"}));
}

TEST(Frames, AreNotOfAFunctionThatTheLinkerDropped) {
  EXPECT_EQ(frames_in_blocks(40), (std::vector<std::string>{"? ?:?"}));
}

TEST(Frames, KeepWhatTheRecordingSays) {
  Fixture fixture("dwarf5.so");
  Symbolizer symbolizer({});
  model::Node node = node_at(fixture.return_address(kInlined), false);
  node.heuristic = true;
  for (const model::ReportFrame& frame : symbolizer.frames(fixture.module(), node)) {
    EXPECT_EQ(frame.module, fixture.module().path);
    EXPECT_EQ(frame.build_id, fixture.module().build_id);
    EXPECT_EQ(frame.offset, node.offset);
    EXPECT_TRUE(frame.heuristic);
  }
}

TEST(Frames, OfAStackRunFromTheInnermostCallOutwards) {
  Fixture fixture("dwarf5.so");
  model::Stacks stacks;
  stacks.modules = {model::Module{}, fixture.module()};
  stacks.nodes = {model::Node{}, node_at(fixture.return_address(kHidden), false),
                  node_at(fixture.return_address(kInlined), false)};
  stacks.nodes[2].parent = 1;
  Symbolizer symbolizer({});
  const model::ReportStack stack = symbolizer.stack(stacks, 2);
  ASSERT_EQ(stack.size(), 4U);
  EXPECT_EQ(stack[0].line, line_of("innermost"));
  EXPECT_EQ(stack[2].line, line_of("outermost"));
  EXPECT_EQ(stack[3].line, line_of("hidden"));
  EXPECT_TRUE(symbolizer.stack(stacks, 0).empty());
}

}  // namespace
}  // namespace seep::symbolize
