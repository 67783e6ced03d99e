// Lines of collapsed stacks from profiles made by hand.
#include "analyzer/export/collapsed.h"

#include <gtest/gtest.h>

#include <string>

namespace seep::exporters {
namespace {

model::ReportFrame named(const char* function) {
  model::ReportFrame frame;
  frame.function = function;
  return frame;
}

class Collapsed : public ::testing::Test {
 protected:
  Collapsed() {
    profile.processes.push_back({"server.1", {}, 1, 0});
    profile.mappings.emplace_back();
    profile.places.emplace_back();
    profile.nodes.emplace_back();
  }

  std::uint32_t add_node(std::uint32_t parent, const model::ReportStack& frames) {
    profile.places.push_back({frames, 0, 0});
    profile.nodes.push_back({parent, static_cast<std::uint32_t>(profile.places.size() - 1)});
    return static_cast<std::uint32_t>(profile.nodes.size() - 1);
  }

  void add_sample(std::uint32_t node, std::uint64_t now, std::uint64_t before = 0) {
    Sample sample;
    sample.node = node;
    sample.now.live_bytes = now;
    sample.before.live_bytes = before;
    profile.samples.push_back(sample);
  }

  [[nodiscard]] std::string text(const CollapsedOptions& options = {}) const {
    std::string all;
    write_collapsed(profile, options, [&](std::string_view piece) { all += piece; });
    return all;
  }

  Profile profile;
};

TEST_F(Collapsed, InlinedFramesStandInsideTheirCaller) {
  const auto main = add_node(0, {named("main")});
  add_sample(add_node(main, {named("inlined"), named("caller")}), 64);
  EXPECT_EQ(text(), "main;caller;inlined 64\n");
}

TEST_F(Collapsed, StacksOfEqualNamesAreOneLine) {
  add_sample(add_node(0, {named("main")}), 64);
  add_sample(add_node(0, {named("main")}), 36);
  EXPECT_EQ(text(), "main 100\n");
}

TEST_F(Collapsed, WhatIsAsBeforeHasNoLine) {
  add_sample(add_node(0, {named("same")}), 64, 64);
  add_sample(add_node(0, {named("less")}), 1, 65);
  EXPECT_EQ(text(), "less -64\n");
  EXPECT_EQ(text({false, true}), "same 64 64\nless 65 1\n");
}

TEST_F(Collapsed, AStackWithoutFramesIsSaidToBeUnknown) {
  add_sample(0, 64);
  EXPECT_EQ(text(), "[unknown] 64\n");
}

TEST_F(Collapsed, NamesCannotBreakTheLine) {
  add_sample(add_node(0, {named("a;b\nc \xff 7")}), 64);
  EXPECT_EQ(text(), "a:b\\x0ac \\xff 7 64\n");
}

}  // namespace
}  // namespace seep::exporters
