// The page that scripts/demo ends in, held against the contract (docs: what `seep run` prints).
#include <regex>

#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

class Demo : public Scenario {
 protected:
  std::vector<std::string> page() {
    const Output output = run({source_file("scripts/demo"), "--run-only", "--build-dir", SEEP_BUILD,
                               "--output-dir", (directory() / "demo").string()});
    EXPECT_EQ(output.status, 0) << output.err;
    const auto lines = lines_of(output.out + output.err);
    std::size_t start = 0;
    while (start < lines.size() && lines[start].rfind("seep: server[", 0) != 0) {
      ++start;
    }
    return {lines.begin() + static_cast<std::ptrdiff_t>(start), lines.end()};
  }

  static void expect_line(const std::string& line, const std::string& pattern) {
    EXPECT_TRUE(std::regex_search(line, std::regex(pattern))) << line << "\nis not " << pattern;
  }
};

TEST_F(Demo, EndsInThePageWithTheLeakingLineFirst) {
  const auto lines = page();
  ASSERT_GE(lines.size(), 6U);
  EXPECT_LE(lines.size(), 20U);
  const std::string number = R"([0-9][0-9.,]*)";
  expect_line(
      lines[0],
      R"(^seep: server\[[0-9]+\] [0-9]+(\.[0-9]+)? ?s, exit 0, [0-9]+ snapshots, nothing lost)");
  expect_line(lines[1], "^RSS " + number + " [kKMG]?i?B.*explained by 1 leak");
  expect_line(lines[2], "^#1 growing +\\+" + number + " [kKMG]?i?B/h.* in " + number + " blocks");
  expect_line(
      lines[3],
      R"(^ +open_session +/.*samples/server\.cpp:[0-9]+ +<- handle_request /?.*server\.cpp:[0-9]+)");
  expect_line(lines.back(), "seep report");
}

TEST_F(Demo, NamesTheLineThatAllocates) {
  const auto lines = page();
  ASSERT_GE(lines.size(), 4U);
  std::smatch match;
  ASSERT_TRUE(std::regex_search(lines[3], match, std::regex(R"(open_session +(/\S+):([0-9]+))")));
  const auto source = lines_of(read_text(match[1].str()));
  const std::size_t line = std::stoul(match[2].str());
  ASSERT_LE(line, source.size());
  EXPECT_NE(source[line - 1].find("g_sessions.emplace_back"), std::string::npos)
      << source[line - 1];
}

}  // namespace
}  // namespace seep::scenarios
