// From recordings to a profile: which frames and figures it has.
#include "analyzer/export/profile.h"

#include <gtest/gtest.h>

namespace seep::exporters {
namespace {

using model::Language;

// Script frames and modules that no file stands for need no symbols.
class BuildProfile : public ::testing::Test {
 protected:
  BuildProfile() {
    recording.id = "server.1";
    recording.stacks.modules.resize(1);
    recording.stacks.nodes.resize(1);
    recording.moments.resize(3);
    for (std::uint32_t i = 0; i < 3; ++i) {
      recording.moments[i].sequence = i + 1;
      recording.moments[i].time_s = i + 1;
    }
  }

  std::uint32_t add_script_node(std::uint32_t parent, const char* function, std::uint32_t line) {
    model::Stacks& stacks = recording.stacks;
    stacks.script_frames.push_back({function, "/srv/a.php", line, Language::kPhp});
    stacks.nodes.push_back({stacks.script_frames.size() - 1, parent, format::kScriptModule, false,
                            false, false, Language::kPhp});
    return static_cast<std::uint32_t>(stacks.nodes.size() - 1);
  }

  std::uint32_t add_native_node(std::uint32_t parent, const char* module, std::uint64_t offset) {
    model::Stacks& stacks = recording.stacks;
    stacks.modules.push_back({module, "", 0x1000, 0x1000, 0x9000, false});
    stacks.nodes.push_back({offset, parent, static_cast<std::uint16_t>(stacks.modules.size() - 1),
                            false, false, false, Language::kNative});
    return static_cast<std::uint32_t>(stacks.nodes.size() - 1);
  }

  // Its live bytes at the three moments.
  void add_site(std::uint32_t node, std::uint64_t first, std::uint64_t second,
                std::uint64_t third) {
    model::SiteHistory site;
    site.node = node;
    site.at = {{first, 1, first, 1}, {second, 1, second, 1}, {third, 1, third, 1}};
    recording.sites.push_back(site);
  }

  Profile build(const Span& span) { return build_profile({recording}, {span}, symbolizer); }

  model::Recording recording;
  symbolize::Symbolizer symbolizer{{}};
};

TEST_F(BuildProfile, FiguresAreThoseOfTheMomentsAskedFor) {
  add_site(add_script_node(0, "run", 7), 64, 128, 256);
  const Profile profile = build({2, 1});
  ASSERT_EQ(profile.samples.size(), 1U);
  EXPECT_EQ(profile.samples[0].now.live_bytes, 256U);
  EXPECT_EQ(profile.samples[0].before.live_bytes, 128U);
  EXPECT_EQ(profile.processes[0].time_s, 3);
  EXPECT_EQ(profile.processes[0].since_s, 2);
}

TEST_F(BuildProfile, FramesOfTheLibraryAndOfAllocatorsAreLeftOut) {
  const auto outer = add_native_node(0, "/lib/libseep.so.1", 0x10);
  const auto caller = add_script_node(outer, "run", 7);
  const auto allocator = add_native_node(caller, "/lib/libjemalloc.so.2", 0x20);
  add_site(add_native_node(allocator, "/lib/libseep.so.1", 0x30), 0, 0, 64);
  const Profile profile = build({2, std::nullopt});
  const ProfileNode& node = profile.nodes[profile.samples[0].node];
  EXPECT_EQ(profile.places[node.place].frames.front().function, "run");
  EXPECT_EQ(node.parent, 0U);
}

TEST_F(BuildProfile, AStackOfAllocatorFramesAloneKeepsItsOutermost) {
  const auto outer = add_native_node(0, "/lib/libjemalloc.so.2", 0x10);
  add_site(add_native_node(outer, "/lib/libjemalloc.so.2", 0x20), 0, 0, 64);
  const Profile profile = build({2, std::nullopt});
  const ProfileNode& node = profile.nodes[profile.samples[0].node];
  EXPECT_EQ(profile.places[node.place].frames.front().offset, 0x10U);
}

TEST_F(BuildProfile, PlacesThatProcessesShareStandThereOnce) {
  add_site(add_script_node(0, "run", 7), 0, 0, 64);
  const Profile profile =
      build_profile({recording, recording}, {{2, std::nullopt}, {2, std::nullopt}}, symbolizer);
  EXPECT_EQ(profile.places.size(), 2U);
  ASSERT_EQ(profile.samples.size(), 2U);
  EXPECT_EQ(profile.samples[1].process, 1U);
}

TEST_F(BuildProfile, SnapshotsAreFoundByNumberAndByMark) {
  recording.moments[0].mark = "warm";
  recording.moments[1].mark = "3";
  recording.moments[2].mark = "warm";
  EXPECT_EQ(find_moment(recording, "2", true), 1U);
  EXPECT_EQ(find_moment(recording, "3", true), 2U);  // the number before the mark
  EXPECT_EQ(find_moment(recording, "warm", false), 0U);
  EXPECT_EQ(find_moment(recording, "warm", true), 2U);
  EXPECT_FALSE(find_moment(recording, "4", true));
  EXPECT_FALSE(find_moment(recording, "", true));
}

}  // namespace
}  // namespace seep::exporters
