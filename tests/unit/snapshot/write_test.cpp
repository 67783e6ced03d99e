// What the preload writes is what the analyzer reads.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>

#include "analyzer/read/read_snapshot.h"
#include "preload/recorder/sampler.h"
#include "preload/runtime/arena.h"
#include "preload/snapshot/writer.h"
#include "preload/stack/modules.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/snapshot/fixture.h"

namespace seep::snapshot {
namespace {

constexpr std::uint32_t kNow = 10'000;
constexpr const char* kName = "snapshot-000007.seep";

class Write : public testing::Test {
 protected:
  Write() { descriptor_ = open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY); }
  ~Write() override { close(descriptor_); }

  static Description describe() {
    using namespace std::string_view_literals;
    Description description;
    format::ProcessRecord& process = description.process;
    process.run_id = 0xABCDEF;
    process.started_unix_ns = 1'700'000'000'000'000'000;
    process.time_ms = 160'000;
    process.start_ticks = 4711;
    process.units = 12;
    process.sequence = 7;
    process.trigger = static_cast<std::uint32_t>(format::Trigger::kMark);
    process.flags = format::kHasUnits | format::kStartedDirectly;
    process.pid = 42;
    process.host_pid = 4242;
    process.parent_pid = 41;
    process.uid = 1000;
    process.image = 3;
    process.end = static_cast<std::uint32_t>(format::End::kExit);
    process.end_status = 5;
    description.exe = "/usr/bin/server";
    description.command =
        "server\0--port\0"
        "80\0"sv;
    description.host = "host.example";
    description.mark = "after warm-up";
    description.end_function = "main";
    description.unit = "request";
    description.now_tick = kNow;
    return description;
  }

  Outcome write_snapshot(const Description& description) {
    return write(descriptor_, kName, description, filled_.tables());
  }

  model::Snapshot read_back() {
    auto result = read::read_snapshot(directory_.file(kName));
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message());
    return result.ok() ? std::move(result.value()) : model::Snapshot{};
  }

  [[nodiscard]] std::size_t files() const {
    const std::filesystem::directory_iterator entries(directory_.path());
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }

  test::TemporaryDirectory directory_;
  int descriptor_ = -1;
  FilledTables filled_;
};

TEST_F(Write, TellsTheProcessAndTheMoment) {
  ASSERT_EQ(write_snapshot(describe()).error, 0);
  const model::Snapshot snapshot = read_back();
  EXPECT_EQ(snapshot.process.run_id, 0xABCDEFU);
  EXPECT_EQ(snapshot.process.started_unix_ns, 1'700'000'000'000'000'000U);
  EXPECT_EQ(snapshot.process.start_ticks, 4711U);
  EXPECT_EQ(snapshot.process.pid, 42U);
  EXPECT_EQ(snapshot.process.host_pid, 4242U);
  EXPECT_EQ(snapshot.process.parent_pid, 41U);
  EXPECT_EQ(snapshot.process.uid, 1000U);
  EXPECT_EQ(snapshot.process.image, 3U);
  EXPECT_FALSE(snapshot.process.forked);
  EXPECT_TRUE(snapshot.process.started_directly);
  EXPECT_EQ(snapshot.process.exe, "/usr/bin/server");
  EXPECT_EQ(snapshot.process.host, "host.example");
  EXPECT_EQ(snapshot.process.unit, "request");
  EXPECT_EQ(snapshot.process.command, (std::vector<std::string>{"server", "--port", "80"}));
  EXPECT_EQ(snapshot.moment.sequence, 7U);
  EXPECT_DOUBLE_EQ(snapshot.moment.time_s, 160.0);
  EXPECT_EQ(snapshot.moment.trigger, format::Trigger::kMark);
  EXPECT_EQ(snapshot.moment.mark, "after warm-up");
  EXPECT_EQ(snapshot.moment.units, 12U);
  EXPECT_EQ(snapshot.end.how, model::EndInfo::How::kExit);
  EXPECT_EQ(snapshot.end.status, 5);
  EXPECT_EQ(snapshot.end.function, "main");
}

TEST_F(Write, TellsEveryFigureOfASite) {
  const std::uint32_t site = filled_.add_site({0x30, 0x20, 0x10});
  filled_.add_blocks(site, kNow - 1000, 100, 2);  // 16 s: class 8
  filled_.add_blocks(site, kNow - 1, 10, 3);
  filled_.add_births(site, 20, 640);
  const std::uint32_t map = filled_.add_site({0x31, 0x20, 0x10}, format::SiteKind::kMmap);
  filled_.add_map(map, kNow - 10, 65536);
  const Outcome outcome = write_snapshot(describe());
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(outcome.live_blocks, 6U);
  EXPECT_EQ(outcome.live_bytes, 230U + 65536);
  EXPECT_EQ(outcome.file_bytes, std::filesystem::file_size(directory_.file(kName)));

  const model::Snapshot snapshot = read_back();
  ASSERT_EQ(snapshot.sites.size(), 3U);
  const model::Site& heap = snapshot.sites[site];
  EXPECT_EQ(heap.kind, format::SiteKind::kHeap);
  EXPECT_EQ(heap.counters.live_blocks, 5U);
  EXPECT_EQ(heap.counters.live_bytes, 230U);
  EXPECT_EQ(heap.counters.allocated_blocks, 25U);
  EXPECT_EQ(heap.counters.allocated_bytes, 870U);
  EXPECT_EQ(heap.inherited_blocks, 0U);
  EXPECT_EQ(heap.freed_blocks(), 20U);
  EXPECT_EQ(heap.oldest_ms, 16'000U);
  ASSERT_EQ(heap.ages_count, 2U);
  EXPECT_EQ(snapshot.ages[heap.ages_begin].age_class, 0U);
  EXPECT_EQ(snapshot.ages[heap.ages_begin].blocks, 3U);
  EXPECT_EQ(snapshot.ages[heap.ages_begin].bytes, 30U);
  EXPECT_EQ(snapshot.ages[heap.ages_begin + 1].age_class, 8U);
  EXPECT_EQ(snapshot.ages[heap.ages_begin + 1].blocks, 2U);
  EXPECT_EQ(snapshot.ages[heap.ages_begin + 1].bytes, 200U);
  EXPECT_EQ(snapshot.sites[map].kind, format::SiteKind::kMmap);
  EXPECT_EQ(snapshot.sites[map].counters.live_bytes, 65536U);
  EXPECT_EQ(snapshot.moment.live_blocks, 6U);
  EXPECT_EQ(snapshot.moment.live_bytes, 230U + 65536);
  EXPECT_EQ(snapshot.moment.accounting.mmap_bytes, 65536U);
  EXPECT_EQ(snapshot.moment.accounting.tracked_live_bytes, 230U + 65536);
  EXPECT_GT(snapshot.moment.accounting.rss_bytes, snapshot.moment.accounting.stack_bytes);
}

// Soft limits that the program may change at any time.
TEST_F(Write, TellsWhatLimitsTheProcess) {
  const auto written = [&](int resource, rlim_t soft) {
    rlimit before{};
    getrlimit(resource, &before);
    const rlimit changed{soft, before.rlim_max};
    setrlimit(resource, &changed);
    EXPECT_EQ(write_snapshot(describe()).error, 0);
    setrlimit(resource, &before);
    return read_back().moment.accounting;
  };
  constexpr rlim_t kHuge = rlim_t{1} << 46;
  model::Accounting at = written(RLIMIT_DATA, kHuge);
  EXPECT_EQ(at.data_limit_bytes, kHuge);
  EXPECT_GT(at.data_bytes, 0U);
  EXPECT_GT(at.address_bytes, at.rss_bytes);
  at = written(RLIMIT_AS, kHuge);
  EXPECT_EQ(at.address_limit_bytes, kHuge);
  EXPECT_EQ(written(RLIMIT_AS, RLIM_INFINITY).address_limit_bytes, 0U);
}

TEST_F(Write, TellsWhatIsKnownOfPhp) {
  Description description = describe();
  description.limits = {1, 2, 3, 4, 5};
  EXPECT_EQ(write_snapshot(description).error, 0);
  const model::Accounting at = read_back().moment.accounting;
  EXPECT_EQ(at.limit_bytes, 1U);
  EXPECT_EQ(at.script_limit_bytes, 2U);
  EXPECT_EQ(at.script_real_bytes, 3U);
  EXPECT_EQ(at.script_peak_bytes, 4U);
  EXPECT_EQ(at.script_used_bytes, 5U);
}

// Births are counted in fixed point; what nothing was freed of has as much alive as was born.
TEST_F(Write, TellsEstimatesWithTheirErrors) {
  constexpr std::uint64_t kMean = 4096;
  const std::uint32_t site = filled_.add_site({0x30});
  filled_.add_blocks(site, kNow, 64, 16);
  table::SiteEntry& entry = filled_.tables().sites.site(site);
  const recorder::Weight weight = recorder::weight_of(64, kMean);
  entry.allocated_blocks = 16 * weight.blocks;
  entry.allocated_bytes = 16 * weight.bytes;
  const std::uint32_t map = filled_.add_site({0x31}, format::SiteKind::kMmap);
  filled_.add_map(map, kNow, 65536);
  Description description = describe();
  description.process.mode = static_cast<std::uint32_t>(format::Mode::kSample);
  description.process.sample_bytes = kMean;
  ASSERT_EQ(write_snapshot(description).error, 0);
  const model::Snapshot snapshot = read_back();
  EXPECT_EQ(snapshot.process.mode, model::Mode::kSample);
  EXPECT_EQ(snapshot.process.sample_bytes, kMean);
  const model::Site& heap = snapshot.sites[site];
  EXPECT_NEAR(static_cast<double>(heap.counters.live_blocks), 16 * 64.5, 1);
  EXPECT_EQ(heap.counters.allocated_blocks, heap.counters.live_blocks);
  EXPECT_EQ(heap.counters.allocated_bytes, heap.counters.live_bytes);
  EXPECT_EQ(heap.estimate.sampled_blocks, 16U);
  // p = 0.0155: 64·sqrt(16·(1-p))/p
  EXPECT_NEAR(heap.estimate.live_bytes_error, 16384, 150);
  EXPECT_EQ(snapshot.sites[map].counters.allocated_bytes, 65536U);
  EXPECT_EQ(snapshot.moment.live_bytes_error, heap.estimate.live_bytes_error);
}

TEST_F(Write, TellsTheStackOfASite) {
  const std::uint32_t site = filled_.add_site({0x30, 0x20, 0x10});
  ASSERT_EQ(write_snapshot(describe()).error, 0);
  const model::Snapshot snapshot = read_back();
  std::vector<std::uint64_t> frames;
  for (std::uint32_t node = snapshot.sites[site].node; node != 0;
       node = snapshot.stacks.nodes[node].parent) {
    frames.push_back(snapshot.stacks.nodes[node].offset);
  }
  EXPECT_EQ(frames, (std::vector<std::uint64_t>{0x30, 0x20, 0x10}));
}

TEST_F(Write, CountsForAForkOnlyWhatIsItsOwn) {
  const std::uint32_t site = filled_.add_site({0x30});
  filled_.add_blocks(site, 99, 100, 4);
  filled_.add_births(site, 6, 600);
  const recorder::Births births[] = {{0, 0}, {10, 1000}};
  filled_.add_blocks(site, 100, 8, 2);
  const std::uint32_t fresh = filled_.add_site({0x31});  // a site that the parent never had
  filled_.add_blocks(fresh, 101, 1);
  Description description = describe();
  description.process.flags |= format::kForkedImage;
  description.fork_tick = 100;
  description.births_at_fork = births;
  description.births_at_fork_count = 2;
  ASSERT_EQ(write_snapshot(description).error, 0);
  const model::Snapshot snapshot = read_back();
  EXPECT_TRUE(snapshot.process.forked);
  EXPECT_EQ(snapshot.sites[site].counters.allocated_blocks, 2U);
  EXPECT_EQ(snapshot.sites[site].counters.allocated_bytes, 16U);
  EXPECT_EQ(snapshot.sites[site].counters.live_blocks, 6U);
  EXPECT_EQ(snapshot.sites[site].inherited_blocks, 4U);
  EXPECT_EQ(snapshot.sites[site].inherited_bytes, 400U);
  EXPECT_EQ(snapshot.sites[site].freed_blocks(), 0U);
  EXPECT_EQ(snapshot.sites[fresh].counters.allocated_blocks, 1U);
}

TEST_F(Write, TellsWhatWasLost) {
  auto& lost = recorder::g_losses[static_cast<std::uint32_t>(format::Loss::foreign_free)];
  lost = 5;
  const Outcome outcome = write_snapshot(describe());
  lost = 0;
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(read_back().losses[static_cast<std::uint32_t>(format::Loss::foreign_free)], 5U);
}

TEST_F(Write, TellsTheModulesOfThisProcess) {
  stack::refresh_modules();
  ASSERT_EQ(write_snapshot(describe()).error, 0);
  const model::Snapshot snapshot = read_back();
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const auto here = reinterpret_cast<std::uint64_t>(&stack::refresh_modules);
  bool found = false;
  for (const model::Module& module : snapshot.stacks.modules) {
    found |= module.path == self && module.begin <= here && here < module.end;
  }
  EXPECT_TRUE(found);
}

TEST_F(Write, HoldsMillionsOfBlocksInAFileOfItsStacksAlone) {
  for (std::uint32_t i = 0; i < 1000; ++i) {
    filled_.add_blocks(filled_.add_site({0x1000 + i, 0x20, 0x10}), i, 48, 1000);
  }
  const Outcome outcome = write_snapshot(describe());
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(outcome.live_blocks, 1'000'000U);
  EXPECT_LT(outcome.file_bytes, 200'000U);
  EXPECT_EQ(read_back().moment.live_blocks, 1'000'000U);
}

// A workspace is used again after a small snapshot and given back after a large one.
TEST_F(Write, TellsTheSameWhateverCameBefore) {
  const std::uint32_t site = filled_.add_site({0x30, 0x20, 0x10});
  filled_.add_blocks(site, kNow - 1000, 100, 2);
  for (std::uint32_t i = 0; i < 3; ++i) {
    ASSERT_EQ(write_snapshot(describe()).error, 0);
    ASSERT_EQ(read_back().sites.size(), 2U);
    EXPECT_EQ(read_back().sites[site].counters.live_bytes, 200U);
  }
  const std::uint64_t before = runtime::mapped_bytes();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    filled_.add_site({0x1000 + i, 0x20, 0x10});
  }
  ASSERT_EQ(write_snapshot(describe()).error, 0);
  EXPECT_EQ(read_back().sites.size(), 1002U);
  EXPECT_LT(runtime::mapped_bytes(), before) << "its workspace is given back";
  ASSERT_EQ(write_snapshot(describe()).error, 0);
  EXPECT_EQ(read_back().sites[site].counters.live_bytes, 200U);
}

TEST_F(Write, ReplacesWhatAnInterruptedWriterLeft) {
  directory_.write(std::string(".") + kName + ".tmp", "half a snapshot");
  ASSERT_EQ(write_snapshot(describe()).error, 0);
  EXPECT_EQ(read_back().moment.sequence, 7U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(Write, LeavesNothingBehindWhenItFails) {
  std::filesystem::create_directories(directory_.path() / kName / "inhabited");
  EXPECT_NE(write_snapshot(describe()).error, 0);  // rename onto a directory
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(write(-1, kName, describe(), filled_.tables()).error, -EBADF);
}

// A limit on the size of files stands in for a full disk.
TEST_F(Write, TellsTheErrorOfAFullDisk) {
  const auto write_limited = [this] {
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
    const Outcome outcome = write_snapshot(describe());
    _exit(outcome.error == -EFBIG && files() == 0 ? 0 : 1);
  };
  EXPECT_EXIT(write_limited(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace seep::snapshot
