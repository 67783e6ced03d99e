// Pairs of stacks of stack_pairs.txt, with hand-made truth: where tools disagree in inlining,
// demangling, lines or length, the same call path must score above the threshold, another below.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/compare/candidates.h"
#include "analyzer/compare/stack.h"

namespace seep::compare {
namespace {

using ForeignStack = std::vector<foreign::Frame>;

struct StackPair {
  bool same = false;
  std::string name;
  ForeignStack a;
  ForeignStack b;
};

// Cuts off what stands behind the mark, and returns it.
std::string take_behind(std::string& line, const std::string& mark) {
  const std::size_t at = line.rfind(mark);
  if (at == std::string::npos) {
    return "";
  }
  std::string behind = line.substr(at + mark.size());
  line.resize(at);
  return behind;
}

foreign::Frame frame_of(std::string line, std::uint64_t& address) {
  foreign::Frame frame;
  frame.address = address;
  if (line.ends_with(" ~")) {
    line.resize(line.size() - 2);
  } else {
    address += 0x1000'0000;
  }
  line.insert(0, " ");
  std::string module = take_behind(line, " % ");
  const std::string offset = take_behind(module, "+0x");
  frame.module = module;
  if (!offset.empty()) {
    frame.offset = std::stoull(offset, nullptr, 16);
  } else {
    frame.address = *frame.address + 1;  // no hint in the low 12 bits
  }
  std::string place = take_behind(line, " @ ");
  const std::string number = take_behind(place, ":");
  frame.file = place;
  frame.line = number.empty() ? 0 : static_cast<unsigned>(std::stoul(number));
  frame.function = line.substr(std::min<std::size_t>(1, line.size()));
  return frame;
}

std::vector<StackPair> read_pairs() {
  std::ifstream file(SEEP_STACK_PAIRS);
  std::vector<StackPair> pairs;
  bool second = false;
  std::uint64_t address = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("same ") || line.starts_with("other ")) {
      pairs.push_back({line.starts_with("same"), line.substr(line.find(' ') + 1), {}, {}});
      second = false;
      address = 0x10'0000;
    } else if (line == "---") {
      second = true;
      address = 0x20'0800;
    } else if (!line.empty() && !line.starts_with('#')) {
      (second ? pairs.back().b : pairs.back().a).push_back(frame_of(line, address));
    }
  }
  return pairs;
}

TEST(StackPairs, AreJudgedAsWrittenDown) {
  const std::vector<StackPair> pairs = read_pairs();
  ASSERT_GE(pairs.size(), 50U);
  std::size_t others = 0;
  for (const StackPair& pair : pairs) {
    ASSERT_FALSE(pair.a.empty() || pair.b.empty()) << pair.name;
    const Stack a = comparable(pair.a);
    const Stack b = comparable(pair.b);
    const double score = likeness(a, b).score();
    EXPECT_EQ(score >= kSameStack, pair.same) << pair.name << ": " << score;
    EXPECT_DOUBLE_EQ(score, likeness(b, a).score()) << pair.name << ", turned round";
    EXPECT_GT(likeness(a, a).score(), 0.9) << pair.name;
    others += pair.same ? 0 : 1;
  }
  EXPECT_GE(others, 15U);
}

// What is like a stack is among those that are compared with it at all.
TEST(StackPairs, AreFoundAmongEachOther) {
  const std::vector<StackPair> pairs = read_pairs();
  Candidates candidates;
  for (const StackPair& pair : pairs) {
    candidates.add(comparable(pair.a));
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::vector<std::size_t> found = candidates.like(comparable(pairs[i].b));
    EXPECT_TRUE(!pairs[i].same || std::find(found.begin(), found.end(), i) != found.end())
        << pairs[i].name;
  }
}

}  // namespace
}  // namespace seep::compare
