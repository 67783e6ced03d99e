// What scans add to a report: verdicts of unreachable memory, trees, totals, and who holds the
// rest.
#include "analyzer/report/scans.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

using Json = nlohmann::json;
using model::LinkKind;
using model::Scan;
using model::ScanTime;

model::Report build(const std::vector<model::Recording>& recordings, const Options& options = {}) {
  symbolize::Symbolizer symbolizer({});
  return build_report(recordings, options, symbolizer);
}

// Sites of the fixture.
enum Site : std::uint32_t { kBurst, kTurnover, kGrowing };

constexpr std::uint64_t kBytes[] = {65536, 64, 64};  // of their blocks

// What is lost of a site whose 100 blocks are 30 s old.
model::Unreachable lost(std::uint32_t site, std::uint64_t direct, std::uint64_t indirect = 0) {
  const std::uint64_t bytes = kBytes[site];
  return {site, direct, direct * bytes, indirect, indirect * bytes, 100, 100 * bytes, 30'000};
}

Scan scan(ScanTime when, std::vector<model::Unreachable> unreachable, double time_s = 60) {
  Scan result;
  result.when = when;
  result.time_s = time_s;
  result.complete = true;
  result.unreachable = std::move(unreachable);
  return result;
}

// A chain of `blocks` of 10 through these links.
void add_chain(Scan& to, std::uint32_t site, std::uint64_t blocks, std::vector<model::Link> links) {
  to.chains.push_back({site, static_cast<std::uint32_t>(to.links.size()),
                       static_cast<std::uint32_t>(links.size()), blocks, 10});
  to.links.insert(to.links.end(), links.begin(), links.end());
}

model::Recording recording_with(std::vector<Scan> scans, std::uint64_t leak_bytes = 0) {
  model::Recording recording = recording_with_leak(7, leak_bytes);
  recording.scans = std::move(scans);
  return recording;
}

// The suspect whose innermost frame is at that address; the sites are at 0x1300, 0x1400, 0x1500.
const model::Suspect& suspect_of(const model::Report& report, std::uint32_t site) {
  constexpr std::uint64_t kOffsets[] = {0x1400, 0x1500, 0x1300};
  for (const model::Suspect& suspect : report.suspects) {
    if (suspect.stack.front().offset == kOffsets[site]) {
      return suspect;
    }
  }
  ADD_FAILURE() << "no suspect of site " << site;
  return report.suspects.front();
}

TEST(Scans, WithoutOneNothingIsKnown) {
  const model::Report report = build({recording_with({})});
  EXPECT_FALSE(report.scan.has_value());
  EXPECT_FALSE(report.totals.unreachable_bytes.has_value());
  EXPECT_FALSE(report.suspects[0].unreachable_bytes.has_value());
  EXPECT_FALSE(report.suspects[0].held_by.has_value());
  const Json json = Json::parse(to_json(report));
  EXPECT_TRUE(json["scan"].is_null());
  EXPECT_TRUE(json["suspects"][0]["held_by"].is_null());
}

TEST(Scans, AnIncompleteOneSaysWhyAndClaimsNothing) {
  Scan incomplete = scan(ScanTime::kExit, {});
  incomplete.complete = false;
  incomplete.problem = model::ScanProblem::kTimeLimit;
  const model::Report report = build({recording_with({incomplete})});
  ASSERT_TRUE(report.scan.has_value());
  EXPECT_FALSE(report.scan->complete);
  EXPECT_NE(report.scan->why_not->find("SEEP_SCAN_LIMIT"), std::string::npos);
  EXPECT_FALSE(report.totals.unreachable_bytes.has_value());
  EXPECT_FALSE(report.suspects[0].unreachable_bytes.has_value());
  const Json json = Json::parse(to_json(report));
  EXPECT_EQ(json["scan"]["complete"], false);
  EXPECT_TRUE(json["totals"]["unreachable_bytes"].is_null());
  EXPECT_NE(to_text(report, {}).find("unreachable memory is not known: "), std::string::npos);
}

TEST(Scans, WhatIsReachableHasZeros) {
  const model::Report report = build({recording_with({scan(ScanTime::kExit, {})})});
  EXPECT_EQ(report.totals.unreachable_bytes, 0U);
  EXPECT_EQ(report.suspects[0].unreachable_bytes, 0U);
  EXPECT_EQ(report.suspects[0].verdict, model::name_of(report.suspects[0].behaviour));
  EXPECT_EQ(report.totals.leak_suspects, 0U);
  EXPECT_NE(to_run_summary(report, "out").find("nothing unreachable at exit"), std::string::npos);
}

TEST(Scans, WhatIsLostAtExitIsALeakWhateverItDoesOverTime) {
  const model::Report report = build({recording_with({scan(ScanTime::kExit, {lost(kBurst, 16)})})});
  const model::Suspect& first = report.suspects[0];
  EXPECT_EQ(first.rank, 1U);
  EXPECT_EQ(first.stack.front().offset, 0x1400U);
  EXPECT_TRUE(first.leak);
  EXPECT_EQ(first.verdict, "unreachable");
  EXPECT_EQ(first.behaviour, model::Behaviour::kOneTime);
  EXPECT_FALSE(first.recurring);
  EXPECT_EQ(first.unreachable_bytes, 16U * 65536);
  EXPECT_EQ(first.unreachable_blocks, 16U);
  EXPECT_EQ(first.unreachable_direct_bytes, 16U * 65536);
  EXPECT_EQ(first.why, "16 blocks that nothing points to, 65.5 KB each");
  EXPECT_EQ(report.totals.unreachable_bytes, 16U * 65536);
  EXPECT_EQ(report.totals.leak_suspects, 1U);
  EXPECT_EQ(report.conclusion.cause, "leak");
  EXPECT_EQ(report.conclusion.sentence,
            "1.05 MB in 16 blocks cannot be reached any more: no pointer leads to them");
  EXPECT_NE(to_run_summary(report, "out").find("1.05 MB unreachable at exit."), std::string::npos);
}

TEST(Scans, WhatIsLostOnceIsNoLeakWhileTheProgramRuns) {
  const model::Report report =
      build({recording_with({scan(ScanTime::kRequest, {lost(kBurst, 16)})})});
  const model::Suspect& burst = suspect_of(report, kBurst);
  EXPECT_FALSE(burst.leak);
  EXPECT_FALSE(burst.recurring);
  EXPECT_EQ(burst.unreachable_blocks, 16U);
  EXPECT_EQ(report.totals.leak_suspects, 0U);
}

TEST(Scans, WhatIsLostOverAndOverIsALeakWhileTheProgramRuns) {
  const model::Report report =
      build({recording_with({scan(ScanTime::kRequest, {lost(kTurnover, 90)})})});
  const model::Suspect& first = report.suspects[0];
  EXPECT_TRUE(first.leak);
  EXPECT_TRUE(first.recurring);
  EXPECT_EQ(first.verdict, "unreachable");
  EXPECT_EQ(first.why, "90 blocks that nothing points to, 64 bytes each, one each 333 ms");
}

TEST(Scans, WhatBecomesMoreFromScanToScanIsALeak) {
  const model::Report report =
      build({recording_with({scan(ScanTime::kSnapshot, {lost(kBurst, 4)}, 20),
                             scan(ScanTime::kSnapshot, {lost(kBurst, 9)}, 40)})});
  EXPECT_TRUE(suspect_of(report, kBurst).leak);
  EXPECT_TRUE(suspect_of(report, kBurst).recurring);
  const model::Report same =
      build({recording_with({scan(ScanTime::kSnapshot, {lost(kBurst, 4)}, 20),
                             scan(ScanTime::kSnapshot, {lost(kBurst, 4)}, 40)})});
  EXPECT_FALSE(suspect_of(same, kBurst).leak);
}

// What destructors lose is lost once.
TEST(Scans, TheOneBeforeDestructorsIsNotComparedWithTheLast) {
  const Scan early = scan(ScanTime::kSnapshot, {lost(kBurst, 2)}, 20);
  const Scan before = scan(ScanTime::kSnapshot, {lost(kBurst, 4)}, 60);
  const Scan after = scan(ScanTime::kExit, {lost(kBurst, 9)}, 60);
  EXPECT_FALSE(suspect_of(build({recording_with({before, after})}), kBurst).recurring);
  EXPECT_TRUE(suspect_of(build({recording_with({early, before, after})}), kBurst).recurring);
}

TEST(Scans, AFewLostBlocksOfAGrowingSiteAreNotItsVerdict) {
  const model::Report report =
      build({recording_with({scan(ScanTime::kExit, {lost(kGrowing, 3)})}, 6400)});
  const model::Suspect& first = report.suspects[0];
  EXPECT_EQ(first.verdict, "growing");
  EXPECT_EQ(first.unreachable_blocks, 3U);
  EXPECT_TRUE(first.leak);
}

TEST(Scans, GrowthThatIsLostSaysBoth) {
  const model::Report report =
      build({recording_with({scan(ScanTime::kExit, {lost(kGrowing, 99)})}, 6400)});
  const model::Suspect& first = report.suspects[0];
  EXPECT_EQ(first.verdict, "unreachable");
  EXPECT_EQ(first.behaviour, model::Behaviour::kGrowing);
  EXPECT_NE(first.why.find("nothing points to"), std::string::npos);
  EXPECT_NE(first.why.find("grew in"), std::string::npos);
}

// --- Trees

TEST(LostTrees, AreOneSuspect) {
  const model::Report report =
      build({recording_with({scan(ScanTime::kExit, {lost(kBurst, 1), lost(kTurnover, 0, 100)})})});
  ASSERT_EQ(report.suspects.size(), 1U);
  const model::Suspect& tree = report.suspects[0];
  EXPECT_EQ(tree.stack.front().offset, 0x1400U) << "the stack of what is lost directly";
  EXPECT_EQ(tree.unreachable_blocks, 101U);
  EXPECT_EQ(tree.unreachable_bytes, 65536U + 100 * 64);
  EXPECT_EQ(tree.unreachable_direct_bytes, 65536U);
  EXPECT_EQ(tree.unreachable_direct_blocks, 1U);
  EXPECT_EQ(tree.live_blocks, 116U);
  EXPECT_EQ(tree.paths.size(), 2U);
  EXPECT_EQ(tree.sites, 2U);
  EXPECT_EQ(tree.series_blocks.back(), 116U);
  EXPECT_EQ(tree.why.find("1 block that nothing points to and 100 behind it"), 0U) << tree.why;
  EXPECT_EQ(report.totals.leak_suspects, 1U);
  EXPECT_NE(to_text(report, {}).find("(65.5 KB direct)"), std::string::npos);
}

TEST(LostTrees, FollowTheChainsWhereSeveralSitesAreLostDirectly) {
  Scan both = scan(ScanTime::kExit, {lost(kBurst, 1), lost(kTurnover, 0, 100), lost(kGrowing, 5)});
  add_chain(both, kTurnover, 9, {{LinkKind::kBlock, kGrowing, 0, 0, 8}});
  add_chain(both, kTurnover, 1, {{LinkKind::kBlock, kBurst, 0, 0, 8}});
  const model::Report report = build({recording_with({both})});
  ASSERT_EQ(report.suspects.size(), 2U);
  EXPECT_EQ(suspect_of(report, kGrowing).unreachable_blocks, 105U);
  EXPECT_EQ(suspect_of(report, kBurst).unreachable_blocks, 1U);
}

TEST(LostTrees, TakeASiteWithFewDirectLossesOfItsOwn) {
  const auto rows = [](std::uint64_t behind) {
    Scan both = scan(ScanTime::kExit, {lost(kBurst, 1), lost(kTurnover, 10, 90)});
    add_chain(both, kTurnover, behind, {{LinkKind::kBlock, kBurst, 0, 0, 0}});
    return build({recording_with({both})}).suspects.size();
  };
  EXPECT_EQ(rows(9), 1U);
  EXPECT_EQ(rows(8), 2U);
}

TEST(LostTrees, ThatHangOnEachOtherAreTwoLeaks) {
  Scan both = scan(ScanTime::kExit, {lost(kBurst, 1, 15), lost(kTurnover, 1, 99)});
  add_chain(both, kTurnover, 10, {{LinkKind::kBlock, kBurst, 0, 0, 0}});
  add_chain(both, kBurst, 10, {{LinkKind::kBlock, kTurnover, 0, 0, 0}});
  const model::Report report = build({recording_with({both})});
  EXPECT_EQ(report.suspects.size(), 2U);
  EXPECT_EQ(report.totals.leak_suspects, 2U);
}

TEST(LostTrees, AreSeveralRowsWhereNothingTellsThemApart) {
  const model::Report report = build({recording_with(
      {scan(ScanTime::kExit, {lost(kBurst, 1), lost(kTurnover, 0, 100), lost(kGrowing, 5)})})});
  EXPECT_EQ(report.suspects.size(), 3U);
  const model::Suspect& behind = suspect_of(report, kTurnover);
  EXPECT_TRUE(behind.leak);
  EXPECT_EQ(behind.why.find("100 blocks that only other lost blocks point to"), 0U) << behind.why;
}

TEST(LostTrees, LeaveASiteThatIsOnlyPartlyLostItsRow) {
  const model::Report report =
      build({recording_with({scan(ScanTime::kExit, {lost(kBurst, 1), lost(kTurnover, 0, 60)})})});
  EXPECT_EQ(report.suspects.size(), 2U);
  EXPECT_FALSE(suspect_of(report, kTurnover).leak) << "the tree is a leak of the other row";
  EXPECT_EQ(report.totals.leak_suspects, 1U);
}

TEST(LostTrees, StayApartWithOneRowASite) {
  Options options;
  options.by_site = true;
  const model::Report report =
      build({recording_with({scan(ScanTime::kExit, {lost(kBurst, 1), lost(kTurnover, 0, 100)})})},
            options);
  EXPECT_EQ(report.suspects.size(), 2U);
  EXPECT_EQ(suspect_of(report, kTurnover).unreachable_direct_bytes, 0U);
}

TEST(LostTrees, TakeTheGrowthOfTheirBranchesWithThem) {
  Scan both = scan(ScanTime::kExit, {lost(kBurst, 1), lost(kGrowing, 0, 100)});
  const model::Report report = build({recording_with({both}, 6400)});
  ASSERT_EQ(report.suspects.size(), 2U);
  EXPECT_TRUE(report.suspects[0].leak);
  EXPECT_EQ(report.suspects[0].stack.front().offset, 0x1400U);
  EXPECT_NEAR(report.suspects[0].growth_bytes_per_s.value_or(0), 6400, 64) << "counted once";
  EXPECT_EQ(report.totals.leak_suspects, 1U);
}

// --- Who holds it

TEST(HeldBy, IsTheCommonestChainOutermostFirst) {
  Scan held = scan(ScanTime::kExit, {});
  add_chain(held, kGrowing, 7,
            {{LinkKind::kGlobal, 0, 1, 0, 0x4020}, {LinkKind::kBlock, kBurst, 0, 0, 8}});
  add_chain(held, kGrowing, 3, {{LinkKind::kStack, 0, 0, 4711, 0}});
  const model::Report report = build({recording_with({held}, 6400)});
  const model::Suspect& first = report.suspects[0];
  ASSERT_TRUE(first.held_by.has_value());
  ASSERT_EQ(first.held_by->size(), 2U);
  EXPECT_EQ((*first.held_by)[0].text, "server+0x4020");
  EXPECT_EQ((*first.held_by)[0].root, "global");
  EXPECT_DOUBLE_EQ((*first.held_by)[0].share, 0.7);
  EXPECT_EQ((*first.held_by)[1].text, "block from server+0x1400");
  EXPECT_FALSE((*first.held_by)[1].root.has_value());
  const std::string line = "held by server+0x4020 -> block from server+0x1400 (70 %)\n";
  EXPECT_NE(to_text(report, {}).find(line), std::string::npos) << to_text(report, {});
  EXPECT_NE(to_run_summary(report, "out").find(line), std::string::npos);
  const Json json = Json::parse(to_json(report))["suspects"][0]["held_by"];
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["root"], "global");
  EXPECT_DOUBLE_EQ(json[0]["share"].get<double>(), 0.7);
  for (const char* name : {"text", "share", "root", "function", "file", "line"}) {
    EXPECT_TRUE(json[1].contains(name)) << name;
  }
}

TEST(HeldBy, NamesEverySortOfRoot) {
  const auto text_of = [](model::Link link) {
    Scan held = scan(ScanTime::kExit, {});
    add_chain(held, kGrowing, 10, {link});
    const model::Report report = build({recording_with({held}, 6400)});
    return report.suspects[0].held_by.value().at(0);
  };
  EXPECT_EQ(text_of({LinkKind::kStack, 0, 0, 1234, 0}).text, "stack of thread 1234");
  EXPECT_EQ(text_of({LinkKind::kStack, 0, 0, 1234, 0}).root, "stack");
  EXPECT_EQ(text_of({LinkKind::kTls, 0, 0, 12, 0}).text, "thread-local storage of thread 12");
  EXPECT_EQ(text_of({LinkKind::kTls, 0, 0, 12, 0}).root, "tls");
  EXPECT_EQ(text_of({LinkKind::kRegister, 0, 0, 12, 0}).root, "register");
  EXPECT_EQ(text_of({LinkKind::kMap, 0, 0, 0, 0}).text, "mapping made by the program");
  EXPECT_EQ(text_of({LinkKind::kMap, kTurnover, 0, 0, 0}).text, "mapping from server+0x1500");
  EXPECT_FALSE(text_of({LinkKind::kOther, 0, 0, 0, 0}).root.has_value());
}

// A chain of names is told rather than one of blocks, also where fewer are held in it.
TEST(HeldBy, TheWordsOfAScriptComeFirst) {
  Scan held = scan(ScanTime::kExit, {});
  add_chain(held, kGrowing, 9, {{LinkKind::kGlobal, 0, 1, 0, 0x4020}});
  add_chain(held, kGrowing, 6,
            {{LinkKind::kScriptGlobal, 0, 0, 0, 0, "static Pool::$jobs[*]"},
             {LinkKind::kScriptValue, 0, 0, 0, 0, "Job::$log\x1b[2J"}});
  add_chain(held, kGrowing, 4,
            {{LinkKind::kScriptLocal, 0, 0, 0, 0, "local $job in run() a.php:7"}});
  const model::Report report = build({recording_with({held}, 6400)});
  const std::vector<model::Holder>& holders = report.suspects[0].held_by.value();
  ASSERT_EQ(holders.size(), 2U);
  EXPECT_EQ(holders[0].text, "static Pool::$jobs[*]");
  EXPECT_EQ(holders[0].root, "global");
  EXPECT_DOUBLE_EQ(holders[0].share, 0.6);
  EXPECT_FALSE(holders[1].root.has_value());
  const std::string text = to_text(report, {});
  EXPECT_NE(text.find("held by static Pool::$jobs[*] -> Job::$log"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "the terminal would obey it";
}

TEST(HeldBy, AListIsOneHop) {
  Scan held = scan(ScanTime::kExit, {});
  std::vector<model::Link> links = {{LinkKind::kGlobal, 0, 1, 0, 0x4020}};
  links.insert(links.end(), 8, {LinkKind::kBlock, kBurst, 0, 0, 0});
  links.push_back({LinkKind::kBlock, kTurnover, 0, 0, 0});
  add_chain(held, kGrowing, 10, links);
  const auto report = build({recording_with({held}, 6400)});
  const std::vector<model::Holder>& holders = report.suspects[0].held_by.value();
  ASSERT_EQ(holders.size(), 3U);
  EXPECT_EQ(holders[1].text, "block from server+0x1400 (8 times)");
  EXPECT_EQ(holders[2].text, "block from server+0x1500");
}

TEST(HeldBy, WhatNothingHoldsHasNoHolders) {
  const model::Report report = build({recording_with({scan(ScanTime::kExit, {lost(kBurst, 95)})})});
  ASSERT_TRUE(report.suspects[0].held_by.has_value());
  EXPECT_TRUE(report.suspects[0].held_by->empty());
  EXPECT_TRUE(Json::parse(to_json(report))["suspects"][0]["held_by"].is_array());
}

TEST(HeldBy, TheLastBlockOfALostSiteIsNotItsHolder) {
  Scan last = scan(ScanTime::kExit, {lost(kGrowing, 99)});
  add_chain(last, kGrowing, 1, {{LinkKind::kGlobal, 0, 1, 0, 0x4020}});
  const model::Report report = build({recording_with({last}, 6400)});
  EXPECT_TRUE(report.suspects[0].held_by->empty());
  EXPECT_EQ(to_text(report, {}).find("held by"), std::string::npos);
}

// What destructors leave behind may be held by something else.
TEST(HeldBy, IsToldByTheScanThatFollowedMost) {
  const auto followed = [](std::uint32_t blocks, std::uint32_t module_offset) {
    Scan result = scan(ScanTime::kSnapshot, {});
    add_chain(result, kGrowing, blocks, {{LinkKind::kGlobal, 0, 1, 0, module_offset}});
    result.chains[0].sampled_blocks = blocks;
    return result;
  };
  const auto root_of = [](std::vector<Scan> scans) {
    const model::Report report = build({recording_with(std::move(scans), 6400)});
    return report.suspects[0].held_by.value().at(0).text;
  };
  EXPECT_EQ(root_of({followed(6000, 0x10), followed(3, 0x20)}), "server+0x10");
  EXPECT_EQ(root_of({followed(3, 0x10), followed(6000, 0x20)}), "server+0x20");
  EXPECT_EQ(root_of({followed(6100, 0x10), followed(6000, 0x20)}), "server+0x20") << "the last one";
  EXPECT_EQ(root_of({followed(4, 0x10), followed(3, 0x20)}), "server+0x10");
}

TEST(HeldBy, ChainsOfLostBlocksTellNoHolder) {
  Scan both = scan(ScanTime::kExit, {lost(kBurst, 1), lost(kTurnover, 0, 50), lost(kGrowing, 5)});
  add_chain(both, kTurnover, 10, {{LinkKind::kBlock, kBurst, 0, 0, 8}});
  const model::Report report = build({recording_with({both})});
  EXPECT_FALSE(suspect_of(report, kTurnover).held_by.has_value());
}

TEST(HeldBy, AHostileChainIsCut) {
  Scan held = scan(ScanTime::kExit, {});
  std::vector<model::Link> links = {{LinkKind::kGlobal, 0, 1, 0, 0}};
  for (int i = 0; i < 10'000; ++i) {
    links.push_back({LinkKind::kBlock, i % 2 == 0 ? kBurst : kTurnover, 0, 0, 0});
  }
  add_chain(held, kGrowing, 10, links);
  const model::Report report = build({recording_with({held}, 6400)});
  EXPECT_LE(report.suspects[0].held_by->size(), 12U);
}

// --- Several processes

TEST(Scans, OfSeveralProcessesAddUp) {
  model::Recording second = recording_with({scan(ScanTime::kExit, {lost(kBurst, 2)})});
  second.process.pid = 8;
  second.id = "server.8";
  const model::Report report =
      build({recording_with({scan(ScanTime::kExit, {lost(kBurst, 3)})}), second});
  EXPECT_EQ(report.totals.unreachable_bytes, 5U * 65536);
  EXPECT_EQ(suspect_of(report, kBurst).unreachable_blocks, 5U);
  EXPECT_TRUE(report.scan->complete);
}

TEST(Scans, OfSomeProcessesAreSaidToBe) {
  const model::Report report = build(
      {recording_with({scan(ScanTime::kExit, {lost(kBurst, 3)})}), recording_with_leak(8, 0)});
  EXPECT_EQ(report.totals.unreachable_bytes, 3U * 65536);
  EXPECT_FALSE(report.scan->complete);
  EXPECT_TRUE(report.scan->why_not.has_value());
}

}  // namespace
}  // namespace seep::report
