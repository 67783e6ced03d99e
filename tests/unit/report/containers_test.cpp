// A container that grows, beside the leak whose blocks it may hold.
#include <gtest/gtest.h>

#include <algorithm>

#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

// The table of a script's array, with 16 bytes for each of a hundred elements a second.
model::SiteHistory table(std::size_t moments) {
  model::SiteHistory site;
  model::Counters now;
  const auto grow = [&](std::uint64_t bytes) {
    now = {bytes, 1, now.allocated_bytes + bytes, now.allocated_blocks + 1};
  };
  std::uint64_t room = 8;
  grow(room * 16);
  for (std::uint64_t t = 0; t < moments; ++t) {
    for (; room < 100 * t; room *= 2) {
      grow(room * 32);
    }
    site.at.push_back(now);
  }
  site.ages.push_back({5, 1, now.live_bytes});
  return site;
}

// Of the line `line` of cache.php, called by main.
std::uint32_t add_script_node(model::Stacks& stacks, std::uint32_t line) {
  stacks.script_frames.push_back(
      {"BodyCache::remember", "/srv/cache.php", line, model::Language::kPhp});
  model::Node node;
  node.offset = stacks.script_frames.size() - 1;
  node.parent = 1;
  node.module = format::kScriptModule;
  node.language = model::Language::kPhp;
  stacks.nodes.push_back(node);
  return static_cast<std::uint32_t>(stacks.nodes.size() - 1);
}

// A leak of a hundred blocks a second, elsewhere.
model::Recording recording_with_table() {
  model::Recording recording = recording_with_leak(4711, 6400);
  model::SiteHistory site = table(recording.moments.size());
  site.node = add_script_node(recording.stacks, 9);
  recording.sites.push_back(site);
  return recording;
}

model::Report report_of(const model::Recording& recording) {
  symbolize::Symbolizer symbolizer({});
  return build_report({recording}, {}, symbolizer);
}

TEST(Containers, StandBesideTheLeakThatGrewInStep) {
  const model::Report report = report_of(recording_with_table());
  ASSERT_EQ(report.containers.size(), 1U);
  const model::Container& container = report.containers[0];
  EXPECT_EQ(container.frame.function, "BodyCache::remember");
  EXPECT_EQ(container.frame.line, 9U);
  EXPECT_EQ(container.block_bytes, 8192U * 16);
  EXPECT_EQ(container.doublings, 10U);
  EXPECT_EQ(container.process, "server.4711");
  const model::Suspect& leak = report.suspects[0];
  ASSERT_TRUE(leak.leak);
  EXPECT_EQ(leak.containers, std::vector<std::size_t>{0});
  const std::string text = to_text(report, {});
  EXPECT_TRUE(text.find("\n   container: one block of 131,072 B after 10 doublings at "
                        "BodyCache::remember  /srv/cache.php:9\n") != text.npos)
      << text;
  EXPECT_TRUE(text.find("growing container") == text.npos) << text;
  EXPECT_TRUE(to_json(report).find("\"doublings\": 10") != std::string::npos);
}

TEST(Containers, ThatNoLeakGrewWithHaveALineOfTheirOwn) {
  model::Recording recording = recording_with_table();
  // The leak begins late.
  for (model::Counters& at : recording.sites[2].at) {
    at.live_blocks = at.live_blocks > 4000 ? at.live_blocks - 4000 : 1;
    at.live_bytes = at.live_blocks * 64;
    at.allocated_blocks = at.live_blocks;
    at.allocated_bytes = at.live_bytes;
  }
  const model::Report report = report_of(recording);
  ASSERT_EQ(report.containers.size(), 1U);
  const auto row = std::find_if(report.suspects.begin(), report.suspects.end(),
                                [](const auto& suspect) { return !suspect.containers.empty(); });
  ASSERT_TRUE(row != report.suspects.end());
  EXPECT_EQ(row->stack[row->blame].function, "BodyCache::remember");
  EXPECT_TRUE(std::none_of(row + 1, report.suspects.end(),
                           [](const auto& suspect) { return !suspect.containers.empty(); }));
  model::Report without_row = report;
  std::erase_if(without_row.suspects, [](const auto& s) { return !s.containers.empty(); });
  const std::string text = to_text(without_row, {});
  EXPECT_TRUE(text.find("\ngrowing container: one block of 131,072 B after 10 doublings at ") !=
              text.npos)
      << text;
  without_row.containers[0].still_grows = false;
  EXPECT_TRUE(to_text(without_row, {}).find("growing container") == text.npos);
}

// Whoever calls the line, it is one container.
TEST(Containers, OfOneLineAreOneOverItsCallers) {
  model::Recording recording = recording_with_table();
  model::SiteHistory& first = recording.sites[3];
  model::SiteHistory second = first;
  model::Node other = recording.stacks.nodes[first.node];
  other.parent = add_script_node(recording.stacks, 30);
  recording.stacks.nodes.push_back(other);
  second.node = static_cast<std::uint32_t>(recording.stacks.nodes.size() - 1);
  // From the 30th second on it is enlarged on the other path.
  const model::Counters half = first.at[29];
  for (std::size_t i = 0; i < first.at.size(); ++i) {
    const bool moved = first.at[i].allocated_blocks > half.allocated_blocks;
    second.at[i] = moved ? model::Counters{first.at[i].live_bytes, 1,
                                           first.at[i].allocated_bytes - half.allocated_bytes,
                                           first.at[i].allocated_blocks - half.allocated_blocks}
                         : model::Counters{};
    first.at[i] =
        moved ? model::Counters{0, 0, half.allocated_bytes, half.allocated_blocks} : first.at[i];
  }
  recording.sites.push_back(second);
  const model::Report report = report_of(recording);
  ASSERT_EQ(report.containers.size(), 1U);
  EXPECT_EQ(report.containers[0].doublings, 10U);
}

// The line makes the array's header as well, at another place of the interpreter.
TEST(Containers, AreToldFromOtherBlocksOfTheirLine) {
  model::Recording recording = recording_with_table();
  model::Stacks& stacks = recording.stacks;
  model::SiteHistory& table = recording.sites[3];
  stacks.nodes[table.node].parent = 3;
  model::SiteHistory header = table;
  header.at.assign(recording.moments.size(), {56, 1, 56, 1});
  model::Node line = stacks.nodes[table.node];
  line.parent = 4;
  stacks.nodes.push_back(line);
  header.node = static_cast<std::uint32_t>(stacks.nodes.size() - 1);
  recording.sites.push_back(header);
  const model::Report report = report_of(recording);
  ASSERT_EQ(report.containers.size(), 1U);
  EXPECT_EQ(report.containers[0].doublings, 10U);
}

TEST(Containers, AreNotClaimedOfEstimates) {
  model::Recording recording = recording_with_table();
  recording.sites[3].estimates.resize(recording.moments.size());
  EXPECT_TRUE(report_of(recording).containers.empty());
}

}  // namespace
}  // namespace seep::report
