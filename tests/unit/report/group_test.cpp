// Which sites become one suspect. The modules of these recordings do not exist: a function is an
// offset, and libc's frames are known by their module.
#include "analyzer/report/group.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analyzer/report/grew_together.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

constexpr std::uint16_t kServer = 1;
constexpr std::uint16_t kLibc = 2;

struct Frame {
  std::uint16_t module = kServer;
  std::uint64_t offset = 0;
};

// A recording to which sites are added by their stacks.
class Program {
 public:
  explicit Program(std::uint32_t pid = 7) : recording_(recording_with_leak(pid, 0)) {
    recording_.sites.clear();
    recording_.stacks = {};
    recording_.stacks.nodes.emplace_back();
    recording_.stacks.modules.resize(3);
    recording_.stacks.modules[kServer].path = "/opt/app/server";
    recording_.stacks.modules[kLibc].path = "/lib/libc.so.6";
  }

  // `stack`: innermost first; malloc is put below it.
  Program& add(std::vector<Frame> stack, model::SiteHistory site) {
    stack.insert(stack.begin(), Frame{kLibc, 0x1});
    std::uint32_t parent = 0;
    for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) {
      model::Node node;
      node.module = frame->module;
      node.offset = frame->offset;
      node.parent = parent;
      recording_.stacks.nodes.push_back(node);
      parent = static_cast<std::uint32_t>(recording_.stacks.nodes.size() - 1);
    }
    site.node = parent;
    recording_.sites.push_back(std::move(site));
    return *this;
  }

  // Half of what is live of a site was lost at the end.
  Program& lose(std::uint32_t site) {
    const model::Counters& live = recording_.sites.at(site).at.back();
    model::Scan scan;
    scan.complete = true;
    scan.unreachable.push_back({site, live.live_blocks / 2, live.live_bytes / 2, 0, 0,
                                live.live_blocks, live.live_bytes, 1000});
    recording_.scans.push_back(scan);
    return *this;
  }

  [[nodiscard]] const model::Recording& recording() const { return recording_; }

 private:
  model::Recording recording_;
};

// Functions of the program.
constexpr Frame kMain{kServer, 0x10};
constexpr Frame kHelper{kServer, 0x20};
constexpr Frame kStrdup{kLibc, 0x30};

Frame function(std::uint64_t i) {
  return {kServer, 0x1000 + 0x100 * i};
}

class Grouped : public testing::Test {
 protected:
  const std::vector<Group>& group(const std::vector<Program>& programs) {
    recordings_.clear();
    for (const Program& program : programs) {
      recordings_.push_back(program.recording());
    }
    ranked_ = rank::rank_sites(recordings_, {});
    NodeNames names(recordings_, symbolizer_);
    groups_ = group_sites({recordings_, ranked_, options_}, names);
    return groups_;
  }

  [[nodiscard]] std::size_t leaks() const {
    return static_cast<std::size_t>(
        std::count_if(groups_.begin(), groups_.end(), [](const auto& one) { return one.leak; }));
  }

  // The offset of the blamed frame of a group's largest path.
  [[nodiscard]] std::uint64_t blamed(std::size_t group) const {
    const Path& path = groups_.at(group).paths.front();
    const rank::RankedSite& site = ranked_.at(path.members.front());
    const model::Recording& recording = recordings_.at(site.recording);
    std::uint32_t node = recording.sites.at(site.site).node;
    for (std::uint32_t depth = 1; depth < path.blame.depth; ++depth) {
      node = recording.stacks.nodes.at(node).parent;
    }
    return recording.stacks.nodes.at(node).offset;
  }

  rank::Options options_;
  symbolize::Symbolizer symbolizer_{{}};
  std::vector<model::Recording> recordings_;
  std::vector<rank::RankedSite> ranked_;
  std::vector<Group> groups_;
};

TEST_F(Grouped, OneLeakOfFiftyPathsIsOneRowLargestPathFirst) {
  Program program;
  for (std::uint64_t i = 0; i < 50; ++i) {
    program.add({kHelper, function(i), kMain}, growing_site(640 * (i + 1)));
  }
  group({program});
  ASSERT_EQ(groups_.size(), 1U);
  ASSERT_EQ(groups_[0].paths.size(), 50U);
  EXPECT_EQ(blamed(0), kHelper.offset);
  EXPECT_GT(groups_[0].paths[0].live_bytes, groups_[0].paths[1].live_bytes);
  ASSERT_EQ(groups_[0].verdicts.size(), 1U);
  EXPECT_NEAR(groups_[0].verdicts[0].growth_bytes_per_s, 640 * 25 * 51, 10);
  EXPECT_LT(groups_[0].verdicts[0].growth_range.high, 640 * 25 * 51 * 1.01)
      << "the interval is that of the sum";
}

TEST_F(Grouped, OfWhatIsAllReleasedThePathThatOnceWasLargestComesFirst) {
  const auto released = [](std::uint64_t blocks) {
    model::SiteHistory site = steady_site();
    for (model::Counters& counters : site.at) {
      counters.live_blocks *= blocks;
      counters.live_bytes *= blocks;
      counters.allocated_blocks *= blocks;
      counters.allocated_bytes *= blocks;
    }
    site.at.back().live_blocks = site.at.back().live_bytes = 0;
    return site;
  };
  for (std::uint64_t first : {1, 9}) {
    group({Program()
               .add({kHelper, function(1), kMain}, released(first))
               .add({kHelper, function(2), kMain}, released(10 - first))});
    ASSERT_EQ(groups_.size(), 1U);
    EXPECT_EQ(groups_[0].paths[0].most_bytes, 9U * 6400);
    EXPECT_EQ(groups_[0].paths[1].most_bytes, 6400U);
  }
}

TEST_F(Grouped, TwoLeaksWithOneCallerAreTwoRows) {
  group({Program()
             .add({function(1), kHelper, kMain}, growing_site(640))
             .add({function(2), kHelper, kMain}, growing_site(6400))});
  ASSERT_EQ(groups_.size(), 2U);
  EXPECT_EQ(blamed(0), function(2).offset);
  EXPECT_EQ(blamed(1), function(1).offset);
}

TEST_F(Grouped, KindsStayApart) {
  model::SiteHistory map = growing_site(640);
  map.kind = model::SiteKind::kMmap;
  group({Program()
             .add({kHelper, function(1), kMain}, growing_site(640))
             .add({kHelper, function(2), kMain}, map)});
  EXPECT_EQ(groups_.size(), 2U);
}

TEST_F(Grouped, WhatDoesNotLeakStaysApartFromTheLeakOfItsFunction) {
  group({Program()
             .add({kHelper, function(1), kMain}, growing_site(6400))
             .add({kHelper, function(2), kMain}, steady_site())});
  ASSERT_EQ(groups_.size(), 2U);
  EXPECT_TRUE(groups_[0].leak);
  EXPECT_FALSE(groups_[1].leak);
}

TEST_F(Grouped, LibraryFramesAreNotBlamed) {
  group({Program().add({kStrdup, function(1), kMain}, growing_site(640))});
  EXPECT_EQ(blamed(0), function(1).offset);
}

// A function whose other callers release what it makes: they decide, it does not.
TEST_F(Grouped, AHelperWhoseOtherCallersReleaseIsNotBlamed) {
  Program program;
  program.add({kHelper, function(1), kMain}, growing_site(640));
  program.add({kHelper, function(2), kMain}, growing_site(1280));
  for (std::uint64_t i = 3; i < 6; ++i) {
    model::SiteHistory steady = steady_site();
    steady.at.back().allocated_blocks += 100'000;  // and freed
    program.add({kHelper, function(i), kMain}, steady);
  }
  group({program});
  ASSERT_EQ(leaks(), 2U);
  EXPECT_EQ(blamed(0), function(2).offset);
  EXPECT_EQ(blamed(1), function(1).offset);
}

TEST_F(Grouped, AHelperThatMostlyLeaksIsBlamed) {
  group({Program()
             .add({kHelper, function(1), kMain}, growing_site(6400))
             .add({kHelper, function(2), kMain}, growing_site(6400))
             .add({kHelper, function(3), kMain}, steady_site())});
  ASSERT_EQ(leaks(), 1U);
  EXPECT_EQ(groups_[0].paths.size(), 2U);
  EXPECT_EQ(blamed(0), kHelper.offset);
}

// Six blocks in a minute decide nothing; three hundred on fifty paths do.
TEST_F(Grouped, PathsTooSlowToJudgeAreALeakTogether) {
  const auto slow = [](std::uint64_t i) {
    std::vector<double> births;
    for (double t = 0.2 * static_cast<double>(i); t < 60; t += 10) {
      births.push_back(t);
    }
    return site_of_births(births);
  };
  group({Program().add({kHelper, function(1), kMain}, slow(1))});
  EXPECT_EQ(leaks(), 0U) << "alone it cannot be told";
  Program program;
  for (std::uint64_t i = 0; i < 50; ++i) {
    program.add({kHelper, function(i), kMain}, slow(i));
  }
  group({program});
  ASSERT_EQ(leaks(), 1U);
  EXPECT_EQ(groups_[0].paths.size(), 50U);
  EXPECT_EQ(groups_.size(), 1U);
}

TEST_F(Grouped, APathWithoutAVerdictJoinsTheLeakOfItsAllocation) {
  group({Program()
             .add({kHelper, function(1), kMain}, growing_site(6400))
             .add({kHelper, function(2), kMain}, site_of_births({5, 15, 25, 35, 45, 55}))
             .add({function(3), kMain}, site_of_births({5, 15, 25, 35, 45, 55}))});
  ASSERT_EQ(leaks(), 1U);
  EXPECT_EQ(groups_[0].paths.size(), 2U);
  EXPECT_EQ(groups_.size(), 2U);
}

// It shares the allocation of what was lost, and is itself held to the end.
TEST_F(Grouped, APathWithoutAVerdictIsNoLeakBesideMemoryThatIsLost) {
  const auto few = [] { return site_of_births({5, 15, 25, 35, 45, 55}); };
  group({Program()
             .add({kHelper, function(1), kMain}, few())
             .add({kHelper, function(2), kMain}, few())
             .lose(0)});
  ASSERT_EQ(leaks(), 1U);
  EXPECT_GT(groups_[0].lost_bytes, 0U);
  EXPECT_EQ(groups_[0].paths.size(), 1U);
  EXPECT_EQ(groups_.size(), 2U);
}

TEST_F(Grouped, WorkersWithOneStackAreOnePath) {
  const auto worker = [](std::uint32_t pid, std::uint64_t bytes) {
    return Program(pid)
        .add({kHelper, function(1), kMain}, growing_site(bytes))
        .add({kHelper, function(2), kMain}, growing_site(bytes));
  };
  group({worker(7, 640), worker(8, 640), worker(9, 1280)});
  ASSERT_EQ(groups_.size(), 1U);
  EXPECT_EQ(groups_[0].paths.size(), 2U);
  EXPECT_EQ(groups_[0].paths[0].members.size(), 3U);
  ASSERT_EQ(groups_[0].verdicts.size(), 3U) << "one a process";
  EXPECT_EQ(groups_[0].verdicts[0].recording, 2U) << "the fastest first";
}

TEST_F(Grouped, ALeakThatShowsInOneWorkerOnlyKeepsItsPlace) {
  const auto worker = [](std::uint32_t pid, const model::SiteHistory& site) {
    return Program(pid).add({kHelper, function(1), kMain}, site);
  };
  group({worker(7, steady_site()), worker(8, growing_site(640)), worker(9, steady_site())});
  ASSERT_EQ(groups_.size(), 1U);
  EXPECT_EQ(groups_[0].verdicts.size(), 1U);
  EXPECT_EQ(blamed(0), kHelper.offset);
}

std::vector<double> line(double begin_s, double per_s) {
  std::vector<double> live;
  for (int t = 0; t <= 60; ++t) {
    live.push_back(t < begin_s ? 0 : (t - begin_s) * per_s);
  }
  return live;
}

std::vector<double> table_of(const std::vector<double>& entries) {
  std::vector<double> live;
  for (const double count : entries) {
    double capacity = 64;
    while (capacity < count) {
      capacity *= 2;
    }
    live.push_back(capacity * 8);
  }
  return live;
}

TEST(GrewTogether, NodesAndTheTableThatDoublesWithThem) {
  for (const double rate : {10.0, 17.0, 30.0, 1000.0}) {
    EXPECT_TRUE(grew_together({line(0, rate)}, {table_of(line(0, rate))})) << rate;
    EXPECT_TRUE(grew_together({table_of(line(0, rate))}, {line(0, rate)})) << rate;
  }
}

TEST(GrewTogether, NotWhatBeginsWhenTheOtherIsHalfDone) {
  EXPECT_TRUE(grew_together({line(0, 10)}, {line(0, 700)}));
  EXPECT_FALSE(grew_together({line(0, 10)}, {line(30, 10)}));
  EXPECT_FALSE(grew_together({line(30, 10)}, {line(0, 10)}));
}

TEST(GrewTogether, OnlyWhereBothGrewIsCompared) {
  EXPECT_TRUE(grew_together({line(0, 10), {}}, {{}, line(0, 10)}));
  EXPECT_FALSE(grew_together({line(0, 10), line(0, 10)}, {{}, line(40, 10)}));
}

}  // namespace
}  // namespace seep::report
