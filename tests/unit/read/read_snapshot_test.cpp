#include "analyzer/read/read_snapshot.h"

#include <gtest/gtest.h>

#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

using format::SectionId;
using test::SnapshotBuilder;

class ReadSnapshot : public testing::Test {
 protected:
  Result<model::Snapshot> read(const SnapshotBuilder& builder) { return read(builder.bytes()); }
  Result<model::Snapshot> read(const std::string& bytes) {
    return read_snapshot(directory_.write("snapshot-000001.seep", bytes));
  }

  test::TemporaryDirectory directory_;
};

TEST_F(ReadSnapshot, GivesBackTheProcess) {
  SnapshotBuilder builder;
  builder.process.host_pid = 90210;
  builder.process.flags = format::kForkedImage;
  builder.process.image = 3;
  builder.command = {"server", "", "-v"};
  const auto snapshot = read(builder);
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const model::ProcessInfo& process = snapshot->process;
  EXPECT_EQ(process.run_id, 0x1122334455667788U);
  EXPECT_EQ(process.started_unix_ns, 1'700'000'000'000'000'000U);
  EXPECT_EQ(process.start_ticks, 123456U);
  EXPECT_EQ(process.mode, model::Mode::kExact);
  EXPECT_EQ(process.pid, 4711U);
  EXPECT_EQ(process.host_pid, 90210U);
  EXPECT_EQ(process.parent_pid, 1U);
  EXPECT_EQ(process.uid, 1000U);
  EXPECT_EQ(process.image, 3U);
  EXPECT_TRUE(process.forked);
  EXPECT_FALSE(process.started_directly);
  EXPECT_EQ(process.exe, "/usr/bin/server");
  EXPECT_EQ(process.host, "testhost");
  EXPECT_EQ(process.command, (std::vector<std::string>{"server", "", "-v"}));
}

TEST_F(ReadSnapshot, GivesBackTheMoment) {
  SnapshotBuilder builder;
  builder.process.walk_ns = 77;
  builder.mark = "after warm-up";
  builder.accounting.rss_bytes = 1000;
  builder.accounting.limit_bytes = 5000;
  const auto snapshot = read(builder.at(12, 3.25).units(400));
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const model::Moment& moment = snapshot->moment;
  EXPECT_EQ(moment.file, directory_.file("snapshot-000001.seep"));
  EXPECT_EQ(moment.sequence, 12U);
  EXPECT_DOUBLE_EQ(moment.time_s, 3.25);
  EXPECT_EQ(moment.trigger, model::Trigger::kMark);
  EXPECT_EQ(moment.mark, "after warm-up");
  EXPECT_EQ(moment.units, 400U);
  EXPECT_EQ(moment.walk_ns, 77U);
  EXPECT_EQ(moment.accounting.rss_bytes, 1000U);
  EXPECT_EQ(moment.accounting.limit_bytes, 5000U);
}

TEST_F(ReadSnapshot, HasNeitherMarkNorUnitsNorEndWhenNoneWasWritten) {
  const auto snapshot = read(SnapshotBuilder());
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_FALSE(snapshot->moment.mark);
  EXPECT_FALSE(snapshot->moment.units);
  EXPECT_EQ(snapshot->end.how, model::EndInfo::How::kRunning);
  EXPECT_FALSE(snapshot->end.status);
  EXPECT_FALSE(snapshot->end.function);
}

TEST_F(ReadSnapshot, GivesBackHowTheProcessEnded) {
  SnapshotBuilder builder;
  const auto exited = read(builder.ended_by_exit(3, "_exit"));
  ASSERT_TRUE(exited);
  EXPECT_EQ(exited->end.how, model::EndInfo::How::kExit);
  EXPECT_EQ(exited->end.status, 3);
  EXPECT_FALSE(exited->end.signal);
  EXPECT_EQ(exited->end.function, "_exit");

  builder.process.end = static_cast<std::uint32_t>(format::End::kSignal);
  builder.process.end_signal = 11;
  builder.end_function.clear();
  const auto killed = read(builder);
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->end.how, model::EndInfo::How::kSignal);
  EXPECT_EQ(killed->end.signal, 11);
  EXPECT_FALSE(killed->end.status);
}

TEST_F(ReadSnapshot, GivesBackModulesAndStacks) {
  SnapshotBuilder builder;
  const auto server = builder.add_module("/usr/bin/server", "\xab\x01\xff", 0x1000);
  const auto plugin = builder.add_module("/usr/lib/plugin.so", "", 0x2000, format::kModuleUnloaded);
  builder.add_site({.stack = {{plugin, 0x30, format::kHeuristic | format::kCut},
                              {server, 0x20, format::kExactPc}}});
  const auto snapshot = read(builder);
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const model::Stacks& stacks = snapshot->stacks;
  ASSERT_EQ(stacks.modules.size(), 3U);
  EXPECT_EQ(stacks.modules[0].path, "");
  EXPECT_EQ(stacks.modules[1].path, "/usr/bin/server");
  EXPECT_EQ(stacks.modules[1].build_id, "ab01ff");
  EXPECT_EQ(stacks.modules[1].base, 0x1000U);
  EXPECT_FALSE(stacks.modules[1].unloaded);
  EXPECT_EQ(stacks.modules[2].build_id, "");
  EXPECT_TRUE(stacks.modules[2].unloaded);

  ASSERT_EQ(snapshot->sites.size(), 1U);
  const model::Node inner = stacks.nodes.at(snapshot->sites[0].node);
  EXPECT_EQ(inner.module, 2);
  EXPECT_EQ(inner.offset, 0x30U);
  EXPECT_TRUE(inner.heuristic);
  EXPECT_TRUE(inner.cut);
  EXPECT_FALSE(inner.exact_pc);
  const model::Node outer = stacks.nodes.at(inner.parent);
  EXPECT_EQ(outer.module, 1);
  EXPECT_EQ(outer.offset, 0x20U);
  EXPECT_TRUE(outer.exact_pc);
  EXPECT_EQ(outer.parent, 0U);
}

TEST_F(ReadSnapshot, GivesBackSitesWithTheirAgesAndSums) {
  SnapshotBuilder builder;
  builder.add_site({.live_blocks = 1, .live_bytes = 10});
  builder.add_site({.kind = format::SiteKind::kMmap,
                    .live_blocks = 5,
                    .live_bytes = 500,
                    .allocated_blocks = 9,
                    .allocated_bytes = 900,
                    .inherited_blocks = 2,
                    .inherited_bytes = 20,
                    .oldest_ms = 123,
                    .ages = {{1, 2, 200}, {7, 3, 300}}});
  const auto snapshot = read(builder);
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  ASSERT_EQ(snapshot->sites.size(), 2U);
  EXPECT_EQ(snapshot->sites[0].ages_count, 0U);
  const model::Site& site = snapshot->sites[1];
  EXPECT_EQ(site.kind, model::SiteKind::kMmap);
  EXPECT_EQ(site.counters.live_blocks, 5U);
  EXPECT_EQ(site.counters.live_bytes, 500U);
  EXPECT_EQ(site.counters.allocated_blocks, 9U);
  EXPECT_EQ(site.counters.allocated_bytes, 900U);
  EXPECT_EQ(site.inherited_blocks, 2U);
  EXPECT_EQ(site.inherited_bytes, 20U);
  EXPECT_EQ(site.freed_blocks(), 6U);
  EXPECT_EQ(site.oldest_ms, 123U);
  ASSERT_EQ(site.ages_count, 2U);
  EXPECT_EQ(snapshot->ages[site.ages_begin].age_class, 1U);
  EXPECT_EQ(snapshot->ages[site.ages_begin + 1].blocks, 3U);
  EXPECT_EQ(snapshot->ages[site.ages_begin + 1].bytes, 300U);
  EXPECT_EQ(snapshot->moment.live_bytes, 510U);
  EXPECT_EQ(snapshot->moment.live_blocks, 6U);
}

TEST_F(ReadSnapshot, GivesBackLosses) {
  SnapshotBuilder builder;
  builder.losses[format::Loss::missed_free] = 8;
  const auto snapshot = read(builder);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->losses[static_cast<std::size_t>(format::Loss::missed_free)], 8U);
  EXPECT_EQ(snapshot->losses[static_cast<std::size_t>(format::Loss::foreign_free)], 0U);
}

// Finds the section of `id` in what the builder would write.
test::SectionBytes& section(std::vector<test::SectionBytes>& sections, SectionId id) {
  return sections.at(static_cast<std::size_t>(id) - 1);
}

SnapshotBuilder sampled_snapshot() {
  SnapshotBuilder builder;
  builder.process.mode = static_cast<std::uint32_t>(format::Mode::kSample);
  builder.process.sample_bytes = 524288;
  builder.add_site({.live_blocks = 8192,
                    .live_bytes = 524288,
                    .sampled_blocks = 1,
                    .live_bytes_error = 300'000,
                    .live_blocks_error = 4000});
  builder.add_site({.stack = {{0, 0x10}},
                    .kind = format::SiteKind::kMmap,
                    .live_blocks = 1,
                    .live_bytes = 4096});
  builder.add_site({.stack = {{0, 0x20}},
                    .live_blocks = 2,
                    .live_bytes = 2'000'000,
                    .sampled_blocks = 2,
                    .live_bytes_error = 400'000});
  return builder;
}

TEST_F(ReadSnapshot, GivesBackWhatEstimatesRestOn) {
  const auto snapshot = read(sampled_snapshot());
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_EQ(snapshot->process.mode, model::Mode::kSample);
  EXPECT_EQ(snapshot->process.sample_bytes, 524288U);
  EXPECT_EQ(snapshot->sites[0].estimate.sampled_blocks, 1U);
  EXPECT_EQ(snapshot->sites[0].estimate.live_bytes_error, 300'000);
  EXPECT_EQ(snapshot->sites[1].estimate.sampled_blocks, 0U);
  EXPECT_EQ(snapshot->sites[2].estimate.sampled_blocks, 2U);
  EXPECT_EQ(snapshot->moment.live_bytes_error, 500'000) << "variances add up";
}

TEST_F(ReadSnapshot, ExactFilesHaveNoErrorAndFilesOfVersionOneZeroAreRead) {
  const auto sections = SnapshotBuilder().at(1, 1).sections();
  ASSERT_EQ(sections.size(), 8U);
  const auto snapshot = read(test::encode_file(sections, 1, 0));
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_FALSE(snapshot->moment.live_bytes_error.has_value());
}

TEST_F(ReadSnapshot, AnEstimateOfNoSiteOrOutOfOrderIsDamage) {
  for (const std::uint32_t site : {0U, 3U}) {
    auto sections = sampled_snapshot().sections();
    format::EstimateRecord record{site, 0, 1, 1, 1};
    std::string& bytes = sections.back().bytes;
    bytes.replace(bytes.size() - sizeof(record), sizeof(record),
                  reinterpret_cast<const char*>(&record), sizeof(record));
    const auto snapshot = read(test::encode_file(sections));
    ASSERT_FALSE(snapshot) << site;
    EXPECT_EQ(snapshot.error().section, "estimates");
    EXPECT_EQ(snapshot.error().what,
              "estimate of site " + std::to_string(site) + ", from 1 to 3 expected");
  }
}

TEST_F(ReadSnapshot, RaisesAllocatedFiguresThatAreBehindTheLiveOnes) {
  SnapshotBuilder builder;
  builder.add_site({.live_blocks = 5, .live_bytes = 50, .inherited_blocks = 1});
  auto sections = builder.sections();
  format::SiteRecord record{};
  record.live_blocks = 5;
  record.live_bytes = 50;
  record.inherited_blocks = 1;
  record.allocated_blocks = 3;
  section(sections, SectionId::kSites)
      .bytes.assign(reinterpret_cast<const char*>(&record), sizeof(record));
  const auto snapshot = read(test::encode_file(sections));
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_EQ(snapshot->sites[0].counters.allocated_blocks, 4U);
  EXPECT_EQ(snapshot->sites[0].freed_blocks(), 0U);
}

TEST_F(ReadSnapshot, InheritedFiguresAreAtMostTheLiveOnes) {
  SnapshotBuilder builder;
  builder.add_site({.live_blocks = 5,
                    .live_bytes = 50,
                    .allocated_blocks = 2,
                    .inherited_blocks = 6,
                    .inherited_bytes = 60});
  const auto snapshot = read(builder);
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_EQ(snapshot->sites[0].inherited_blocks, 5U);
  EXPECT_EQ(snapshot->sites[0].inherited_bytes, 50U);
  EXPECT_EQ(snapshot->sites[0].freed_blocks(), 2U);
}

TEST_F(ReadSnapshot, SumsStopAtTheLargestNumber) {
  SnapshotBuilder builder;
  builder.add_site({.live_blocks = 1, .live_bytes = ~0ULL});
  builder.add_site({.live_blocks = 1, .live_bytes = 2});
  const auto snapshot = read(builder);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->moment.live_bytes, ~0ULL);
}

TEST_F(ReadSnapshot, SkipsSectionsItDoesNotKnow) {
  auto sections = SnapshotBuilder().sections();
  sections.insert(sections.begin() + 2, {999, 4, "later"});
  const auto snapshot = read(test::encode_file(sections, format::kVersionMajor, 7));
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_EQ(snapshot->process.pid, 4711U);
}

// Every entry gets four bytes more, as a later minor version would write them.
TEST_F(ReadSnapshot, AcceptsLongerEntries) {
  SnapshotBuilder builder;
  const auto server = builder.add_module("/usr/bin/server");
  builder.add_site({.stack = {{server, 0x30}, {server, 0x20}},
                    .live_blocks = 7,
                    .live_bytes = 70,
                    .ages = {{0, 7, 70}}});
  auto sections = builder.sections();
  for (test::SectionBytes& section : sections) {
    if (section.entry_bytes == 1) {
      continue;
    }
    std::string longer;
    for (std::size_t i = 0; i < section.bytes.size(); i += section.entry_bytes) {
      longer += section.bytes.substr(i, section.entry_bytes) + "more";
    }
    section.bytes = longer;
    section.entry_bytes += 4;
  }
  const auto snapshot = read(test::encode_file(sections));
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_EQ(snapshot->process.exe, "/usr/bin/server");
  EXPECT_EQ(snapshot->stacks.nodes.at(snapshot->sites.at(0).node).offset, 0x30U);
  EXPECT_EQ(snapshot->moment.live_bytes, 70U);
  EXPECT_EQ(snapshot->ages.at(0).blocks, 7U);
}

// Files of 1.1 and 1.0, whose records are shorter.
TEST_F(ReadSnapshot, WhatOlderFilesDoNotHoldIsZero) {
  SnapshotBuilder builder;
  builder.unit = "request";
  builder.accounting.limit_bytes = 5000;
  builder.accounting.data_limit_bytes = 6000;
  builder.accounting.script_used_bytes = 7000;
  auto sections = builder.sections();
  const auto whole = read(test::encode_file(sections));
  ASSERT_TRUE(whole) << whole.error().message();
  EXPECT_EQ(whole->process.unit, "request");
  EXPECT_EQ(whole->moment.accounting.data_limit_bytes, 6000U);
  EXPECT_EQ(whole->moment.accounting.script_used_bytes, 7000U);
  const auto cut = [&](SectionId id, std::uint32_t bytes) {
    section(sections, id).bytes.resize(bytes);
    section(sections, id).entry_bytes = bytes;
  };
  cut(SectionId::kProcess, 144);
  cut(SectionId::kAccounting, 80);
  const auto older = read(test::encode_file(sections, 1, 1));
  ASSERT_TRUE(older) << older.error().message();
  EXPECT_EQ(older->process.unit, "");
  EXPECT_EQ(older->process.exe, builder.exe);
  EXPECT_EQ(older->moment.accounting.limit_bytes, 5000U);
  EXPECT_EQ(older->moment.accounting.data_limit_bytes, 0U);
  EXPECT_EQ(older->moment.accounting.script_used_bytes, 0U);
  cut(SectionId::kAccounting, 72);
  EXPECT_FALSE(read(test::encode_file(sections, 1, 1)));
}

TEST_F(ReadSnapshot, LeavesOutLossesOfALaterVersion) {
  auto sections = SnapshotBuilder().sections();
  const format::LossRecord record{format::kLossCount + 5, 0, 3};
  section(sections, SectionId::kLosses)
      .bytes.append(reinterpret_cast<const char*>(&record), sizeof(record));
  const auto snapshot = read(test::encode_file(sections));
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->losses, model::Losses{});
}

TEST_F(ReadSnapshot, RefusesANewerMajorVersion) {
  const auto snapshot = read(test::encode_file(SnapshotBuilder().sections(), 2, 0));
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(snapshot.error().message(),
            "seep: " + directory_.file("snapshot-000001.seep") +
                ": section header: written by a newer seep: version 2.0, this one reads 1.x "
                "(at 0x8): install a newer seep");
}

TEST_F(ReadSnapshot, RefusesAnOlderMajorVersion) {
  const auto snapshot = read(test::encode_file(SnapshotBuilder().sections(), 0, 9));
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().what, "version 0.9 is not known, this seep reads 1.x");
}

}  // namespace
}  // namespace seep::read
