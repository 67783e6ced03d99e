// Maps of code that was compiled while a program ran, which anybody may have written.
#include "analyzer/read/jit_map.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

std::string function_at(const std::vector<JitCode>& map, std::uint64_t address) {
  for (const JitCode& code : map) {
    if (code.begin <= address && address < code.end) {
      return code.code.function;
    }
  }
  return "";
}

TEST(JitMap, NamesRangesOfAddresses) {
  const auto map = parse_jit_map("7f0010 20 handle\n0x7f0040 0x8 other name\n");
  ASSERT_EQ(map.size(), 2U);
  EXPECT_EQ(map[0].begin, 0x7f0010U);
  EXPECT_EQ(map[0].end, 0x7f0030U);
  EXPECT_EQ(function_at(map, 0x7f002f), "handle");
  EXPECT_EQ(function_at(map, 0x7f0030), "");
  EXPECT_EQ(function_at(map, 0x7f0040), "other name");
  EXPECT_EQ(map[0].code.language, model::Language::kJit);
}

// Code is freed, and other code put in its place.
TEST(JitMap, LaterLinesAreBelieved) {
  const auto map = parse_jit_map(
      "1000 100 old\n"
      "1040 20 inside\n"
      "10f0 20 behind\n"
      "2000 10 first\n2000 10 second\n"
      "3010 10 covered\n3000 100 whole\n");
  EXPECT_EQ(function_at(map, 0x1000), "old");
  EXPECT_EQ(function_at(map, 0x103f), "old");
  EXPECT_EQ(function_at(map, 0x1040), "inside");
  EXPECT_EQ(function_at(map, 0x1060), "old");
  EXPECT_EQ(function_at(map, 0x10f0), "behind");
  EXPECT_EQ(function_at(map, 0x110f), "behind");
  EXPECT_EQ(function_at(map, 0x1110), "");
  EXPECT_EQ(function_at(map, 0x2005), "second");
  EXPECT_EQ(function_at(map, 0x3010), "whole");
  for (std::size_t i = 1; i < map.size(); ++i) {
    EXPECT_LE(map[i - 1].end, map[i].begin);
  }
}

TEST(JitMap, LinesThatAreNoneArePassedOver) {
  const auto map = parse_jit_map(
      "\n \nzz 10 a\n10\n10 20\n10 20 \n-1 10 b\nffffffffffffffff 10 c\n"
      "10 ffffffffffffffffff d\n10 0 e\n1000 10 good\n2000 10 cut off");
  ASSERT_EQ(map.size(), 1U);
  EXPECT_EQ(map[0].code.function, "good");
  EXPECT_TRUE(parse_jit_map("").empty());
  EXPECT_TRUE(parse_jit_map(std::string(100'000, '\0')).empty());
}

TEST(JitMap, LongNamesAreCut) {
  const auto map = parse_jit_map("10 10 " + std::string(1 << 20, 'x') + "\n");
  ASSERT_EQ(map.size(), 1U);
  EXPECT_EQ(map[0].code.function.size(), 1024U);
}

TEST(JitName, OfV8HasFunctionFileAndLine) {
  const model::ScriptFrame plain = parse_jit_name("JS:*keep /srv/a b.js:12:29");
  EXPECT_EQ(plain.function, "keep");
  EXPECT_EQ(plain.file, "/srv/a b.js");
  EXPECT_EQ(plain.line, 12U);
  EXPECT_EQ(parse_jit_name("LazyCompile:~get size file:///srv/m.mjs:3:5").function, "get size");
  EXPECT_EQ(parse_jit_name("LazyCompile:~get size file:///srv/m.mjs:3:5").file, "/srv/m.mjs");
  EXPECT_EQ(parse_jit_name("JS:^ /srv/a.js:1:1").function, "(anonymous)");
  EXPECT_EQ(parse_jit_name("JS:^ /srv/a.js:1:1").file, "/srv/a.js");
  EXPECT_EQ(parse_jit_name("JS:~read node:fs:7:1").file, "node:fs");
  EXPECT_EQ(parse_jit_name("Eval:~ :1:1").function, "(anonymous)");
  EXPECT_EQ(parse_jit_name("Builtin:ArrayMap").function, "Builtin:ArrayMap");
  for (const char* odd : {"JS:", "JS:*", "JS:* :", "JS::1:1", "JS:a:999999999999:1", "JS:a 1:1"}) {
    EXPECT_FALSE(parse_jit_name(odd).function.empty()) << odd;
  }
}

TEST(JitName, OfPythonHasFunctionAndFile) {
  const model::ScriptFrame code = parse_jit_name("py::Pool.run:/srv/pool.py");
  EXPECT_EQ(code.function, "Pool.run");
  EXPECT_EQ(code.file, "/srv/pool.py");
  EXPECT_EQ(code.line, 0U);
}

TEST(JitName, OfOthersIsAFunction) {
  EXPECT_EQ(parse_jit_name("Lcom/acme/Pool;::run").function, "Lcom/acme/Pool;::run");
  EXPECT_EQ(parse_jit_name("JIT$Pool::run").file, "");
}

model::Node node_at(std::uint64_t address, bool exact_pc) {
  model::Node node;
  node.offset = address;
  node.exact_pc = exact_pc;
  return node;
}

TEST(JitFrames, AreNamedByTheCallAndNotByWhatIsBehindIt) {
  model::Stacks stacks;
  stacks.modules.emplace_back();
  stacks.modules.push_back({"/bin/x", "", 0, 0, 0, false});
  stacks.nodes = {{}, node_at(0x1010, false), node_at(0x1010, true), node_at(0x900, false)};
  stacks.nodes.push_back(node_at(0x1008, false));
  stacks.nodes[4].module = 1;
  name_jit_frames(stacks, parse_jit_map("1000 10 caller\n1010 10 next\n"));
  const auto name_of = [&](std::size_t node) {
    return stacks.script_frames[stacks.nodes[node].offset].function;
  };
  EXPECT_EQ(stacks.nodes[1].language, model::Language::kJit);
  EXPECT_EQ(stacks.nodes[1].module, format::kScriptModule);
  EXPECT_EQ(name_of(1), "caller");
  EXPECT_EQ(name_of(2), "next");
  EXPECT_EQ(stacks.nodes[3].language, model::Language::kNative);
  EXPECT_EQ(stacks.nodes[4].language, model::Language::kNative);
}

class JitMapFile : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    std::ofstream(path) << text;
  }

  [[nodiscard]] std::vector<JitCode> read(bool is_running = false) const {
    return read_jit_map(directory_.path().string(), process_, is_running);
  }

  JitMapFile() { process_.uid = geteuid(); }
  ~JitMapFile() override { unlink(live_.c_str()); }

  test::TemporaryDirectory directory_;
  const std::string kept_ = directory_.file("perf.map");
  const std::string live_ = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  model::ProcessInfo process_;
};

TEST_F(JitMapFile, OfARecordingIsRead) {
  EXPECT_TRUE(read().empty());
  write(kept_, "1000 10 f\n");
  EXPECT_EQ(read().size(), 1U);
}

TEST_F(JitMapFile, ThatIsNoFileIsNotRead) {
  write(directory_.file("elsewhere"), "1000 10 f\n");
  ASSERT_EQ(symlink(directory_.file("elsewhere").c_str(), kept_.c_str()), 0);
  EXPECT_TRUE(read().empty());
  unlink(kept_.c_str());
  ASSERT_EQ(mkfifo(kept_.c_str(), 0600), 0);
  EXPECT_TRUE(read().empty());  // and does not wait for a writer
}

TEST_F(JitMapFile, OfAnotherUserIsNotRead) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  write(kept_, "1000 10 f\n");
  ASSERT_EQ(chown(kept_.c_str(), 65534, 65534), 0);
  EXPECT_TRUE(read().empty());
  process_.uid = 65534;
  EXPECT_EQ(read().size(), 1U);
}

TEST_F(JitMapFile, OfARunningProcessIsReadWhereItWritesIt) {
  process_.pid = process_.host_pid = static_cast<std::uint32_t>(getpid());
  process_.started_unix_ns = 1;
  write(live_, "2000 10 live\n");
  EXPECT_TRUE(read(/*is_running=*/false).empty());
  EXPECT_EQ(function_at(read(/*is_running=*/true), 0x2000), "live");
  process_.started_unix_ns = 4'000'000'000'000'000'000;  // written by an earlier process
  EXPECT_TRUE(read(/*is_running=*/true).empty());
}

}  // namespace
}  // namespace seep::read
