// Sites whose behaviour is known by construction, and what is said of them.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analyzer/rank/judge.h"
#include "tests/unit/rank/population.h"

namespace seep::rank {
namespace {

using model::Behaviour;

Verdict verdict_on(const model::SiteHistory& site, const std::vector<double>& times) {
  return judge(site, Timeline{times, 0});
}

Verdict verdict_on(const std::vector<Block>& blocks, const std::vector<double>& times) {
  return verdict_on(history_of(blocks, times), times);
}

// Births at random times at a constant mean rate.
std::vector<Block> births(std::mt19937& random, double rate, double from, double to) {
  std::exponential_distribution<double> gap(rate);
  std::vector<Block> blocks;
  for (double t = from + gap(random); t < to; t += gap(random)) {
    blocks.push_back({t});
  }
  return blocks;
}

void append(std::vector<Block>& to, const std::vector<Block>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// A site that holds one block whose size is given by a function of time; the block is replaced
// whenever the size changes.
template <typename SizeAt>
model::SiteHistory one_buffer(const std::vector<double>& times, SizeAt size_at) {
  model::SiteHistory site;
  std::uint64_t moves = 0;
  std::uint64_t size = 0;
  for (const double t : times) {
    const std::uint64_t now = size_at(t);
    moves += now != size ? 1 : 0;
    size = now;
    site.at.push_back({size, size != 0 ? 1U : 0U, size * moves, moves});
  }
  site.ages.push_back({1, 1, size});
  return site;
}

std::uint64_t capacity_for(double elements) {
  return elements < 1 ? 0
                      : static_cast<std::uint64_t>(16 * std::exp2(std::ceil(std::log2(elements))));
}

TEST(Growing, LinearLeakOfFiftyBytesASecond) {
  std::mt19937 random(1);
  const auto times = auto_times(60);
  auto blocks = births(random, 1, 0, 60);
  for (Block& block : blocks) {
    block.bytes = 50;
  }
  const Verdict verdict = verdict_on(blocks, times);
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
  EXPECT_NEAR(verdict.growth_bytes_per_s, 50, 15);
  EXPECT_LE(verdict.growth_range.low, verdict.growth_bytes_per_s);
  EXPECT_GE(verdict.growth_range.high, verdict.growth_bytes_per_s);
}

// The snapshot at exit follows the one before it at once: that nothing was born between them says
// nothing.
TEST(Growing, ToTheEndThoughTheLastIntervalIsShort) {
  std::vector<double> times;
  std::vector<Block> blocks;
  for (int i = 1; i <= 20; ++i) {
    times.push_back(0.08 * i);
    for (int born = 0; born < 100; ++born) {
      blocks.push_back({0.08 * i - 0.04});
    }
  }
  times.push_back(times.back() + 0.024);
  const Verdict verdict = verdict_on(blocks, times);
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
}

// 5 MB/s of 5 KB blocks that live 10 ms, and one block of 5 KB in 100 s that stays: 50 B/s.
TEST(Growing, LeakOfFiftyBytesASecondBehindASiteThatChurnsFiveMegabytesASecond) {
  std::mt19937 random(2);
  const double length = 6 * 3600;
  const auto times = auto_times(length);
  auto leak = births(random, 0.01, 0, length);
  for (Block& block : leak) {
    block.bytes = 5000;
  }
  model::SiteHistory site = history_of(leak, times);
  std::poisson_distribution<std::uint64_t> alive(10);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const std::uint64_t churn = alive(random);
    const auto births = static_cast<std::uint64_t>(1000 * times[i]) + churn;
    site.at[i].live_blocks += churn;
    site.at[i].live_bytes += churn * 5000;
    site.at[i].allocated_blocks += births;
    site.at[i].allocated_bytes += births * 5000;
  }
  site.ages.insert(site.ages.begin(), {0, 10, 50'000});
  const Verdict verdict = verdict_on(site, times);
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
  EXPECT_NEAR(verdict.growth_bytes_per_s, 50, 10);
}

TEST(Growing, FastRunsOfTwoToFiveSeconds) {
  for (const double length : {2.0, 3.0, 5.0}) {
    std::mt19937 random(3);
    const Verdict verdict = verdict_on(births(random, 200, 0, length), auto_times(length));
    EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << length << ": " << verdict.why;
  }
}

TEST(Growing, LeakThatStartsLate) {
  for (const double start : {0.3, 0.5, 0.7, 0.8}) {
    std::mt19937 random(4);
    std::vector<Block> blocks = births(random, 40, 0, 2);  // from the start, kept
    append(blocks, births(random, 5, 600 * start, 600));
    const Verdict verdict = verdict_on(blocks, auto_times(600));
    EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << start << ": " << verdict.why;
    EXPECT_NEAR(verdict.growth_bytes_per_s, 5 * 64, start < 0.4 ? 5 * 64 * 0.4 : 5 * 64 * 0.15)
        << start << ": " << verdict.why;
  }
}

TEST(Growing, LeakAfterALargeStartUp) {
  std::mt19937 random(5);
  std::vector<Block> blocks = births(random, 1000, 0, 3);
  append(blocks, births(random, 5, 3, 100));
  const Verdict verdict = verdict_on(blocks, auto_times(100));
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
}

TEST(Growing, LeakInBatches) {
  std::vector<Block> blocks;
  for (int batch = 0; batch < 24; ++batch) {
    for (int i = 0; i < 50; ++i) {
      blocks.push_back({batch * 25.0 + 5});
    }
  }
  const Verdict verdict = verdict_on(blocks, auto_times(600));
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
}

TEST(Growing, FewLargeBlocks) {
  std::vector<Block> blocks;
  blocks.reserve(12);
  for (int i = 0; i < 12; ++i) {
    blocks.push_back({i * 50.0 + 3, kForever, 1 << 20});
  }
  const Verdict verdict = verdict_on(blocks, auto_times(600));
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
}

TEST(Growing, VectorThatDoublesAndIsStillFilled) {
  for (const double length : {5.0, 7.0, 60.0}) {
    const auto times = auto_times(length);
    const auto site = one_buffer(times, [](double t) { return capacity_for(1 + 1000 * t); });
    const Verdict verdict = verdict_on(site, times);
    EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << length << ": " << verdict.why;
  }
}

TEST(Growing, BufferEnlargedByRealloc) {
  const auto times = auto_times(30);
  const auto site =
      one_buffer(times, [](double t) { return static_cast<std::uint64_t>(64 + 100 * t); });
  const Verdict verdict = verdict_on(site, times);
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
}

// A key-value server under a load of writes, nine snapshots on a busy machine: figures of a real
// run. Times, live blocks, and births of one site; ages as the last snapshot gives them.
constexpr double kServerTimes[] = {0, 0.24, 0.74, 1.24, 1.836, 2.436, 5.044, 6.036, 7.268};

model::SiteHistory server_site(const std::vector<std::uint64_t>& live,
                               const std::vector<std::uint64_t>& born,
                               std::vector<model::AgeCount> ages) {
  model::SiteHistory site;
  for (std::size_t i = 0; i < live.size(); ++i) {
    site.at.push_back({306 * live[i], live[i], 306 * born[i], born[i]});
  }
  site.ages = std::move(ages);
  return site;
}

std::vector<double> server_times() {
  return {std::begin(kServerTimes), std::end(kServerTimes)};
}

TEST(Growing, KeysOfAServerSeenInNineSnapshots) {
  const std::vector<std::uint64_t> live = {0, 801, 2001, 4001, 6401, 8800, 18398, 22000, 24000};
  const auto site = server_site(
      live, live, {{2, 400, 0}, {4, 400, 0}, {5, 4400, 0}, {6, 7600, 0}, {7, 11200, 0}});
  const Verdict verdict = verdict_on(site, server_times());
  EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << verdict.why;
}

// One site makes what is kept and what lives for a moment, and the few snapshots lie far apart
// against the age classes: short lives are no late deaths.
TEST(Growing, KeptAndShortLivedBlocksOfOneSiteInNineSnapshots) {
  for (const double life : {0.005, 0.05, 0.2}) {
    std::mt19937 random(12);
    auto blocks = births(random, 3300, 0.1, 7.268);
    for (std::size_t i = 0; i < blocks.size(); i += 4) {
      blocks[i].died_s = blocks[i].born_s + life;
    }
    const Verdict verdict = verdict_on(blocks, server_times());
    EXPECT_EQ(verdict.behaviour, Behaviour::kGrowing) << life << ": " << verdict.why;
  }
}

// The values behind those keys: 29,200 were stored under 24,000 keys, so 5,200 were replaced, most
// of them in the last interval. Blocks of any age die here; nothing tells yet where that ends.
TEST(Unknown, ValuesThatAreReplacedMoreAndMore) {
  const auto site = server_site({0, 800, 2000, 4000, 6400, 8799, 18397, 21999, 23999},
                                {0, 800, 2800, 4800, 7200, 9600, 20398, 24000, 29200},
                                {{0, 400, 0},
                                 {2, 800, 0},
                                 {3, 800, 0},
                                 {4, 2000, 0},
                                 {5, 4400, 0},
                                 {6, 4400, 0},
                                 {7, 11199, 0}});
  const Verdict verdict = verdict_on(site, server_times());
  EXPECT_EQ(verdict.behaviour, Behaviour::kUnknown) << verdict.why;
  EXPECT_NE(verdict.why.find("2,798 of those alive"), std::string::npos) << verdict.why;
}

// A free list of an interpreter that is filled by and by; the same blocks amid thousands are a
// leak.
TEST(Unknown, FewBlocksOfWhichMostAreFreed) {
  const auto times = even_times(24, 0.4);
  std::vector<Block> few;
  for (double t = 0.3; t < 24; t += 1.5) {
    append(few, {{t}, {t + 0.4, t + 1.0}, {t + 0.9, t + 1.4}});
  }
  const Verdict verdict = verdict_on(few, times);
  EXPECT_EQ(verdict.behaviour, Behaviour::kUnknown) << verdict.why;
  std::vector<Block> many = few;
  for (double t = 0; t < 24; t += 0.01) {
    many.push_back({t, t + 0.004});
  }
  EXPECT_EQ(verdict_on(many, times).behaviour, Behaviour::kGrowing) << verdict_on(many, times).why;
}

TEST(Plateau, VectorThatStoppedDoubling) {
  const auto times = auto_times(60);
  const auto site =
      one_buffer(times, [](double t) { return capacity_for(1 + 1000 * std::min(t, 20.0)); });
  const Verdict verdict = verdict_on(site, times);
  EXPECT_EQ(verdict.behaviour, Behaviour::kPlateau) << verdict.why;
}

TEST(Plateau, CacheThatFillsAndStops) {
  for (const double full : {0.2, 0.4, 0.6, 0.8, 0.9}) {
    std::mt19937 random(6);
    const Verdict verdict = verdict_on(births(random, 100, 0, 60 * full), auto_times(60));
    EXPECT_EQ(verdict.behaviour, Behaviour::kPlateau) << full << ": " << verdict.why;
  }
}

TEST(Plateau, CacheWithACapThatEvictsTheOldest) {
  std::mt19937 random(7);
  auto blocks = births(random, 100, 0, 60);
  for (std::size_t i = 1500; i < blocks.size(); ++i) {
    blocks[i - 1500].died_s = blocks[i].born_s;
  }
  const Verdict verdict = verdict_on(blocks, auto_times(60));
  EXPECT_EQ(verdict.behaviour, Behaviour::kPlateau) << verdict.why;
}

// Each request asks for one of `keys` at random; new ones are kept.
std::vector<Block> memo(std::mt19937& random, int keys, int requests, double length) {
  std::vector<bool> seen(static_cast<std::size_t>(keys));
  std::uniform_int_distribution<std::size_t> key(0, seen.size() - 1);
  std::vector<Block> blocks;
  for (int i = 0; i < requests; ++i) {
    const std::size_t k = key(random);
    if (!seen[k]) {
      blocks.push_back({length * i / requests});
    }
    seen[k] = true;
  }
  return blocks;
}

TEST(Plateau, MemoTableThatBends) {
  for (const int requests_a_key : {1, 2, 3, 5}) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      std::mt19937 random(seed);
      const auto blocks = memo(random, 2000, 2000 * requests_a_key, 60);
      const Verdict verdict = verdict_on(blocks, auto_times(60));
      EXPECT_EQ(verdict.behaviour, Behaviour::kPlateau)
          << requests_a_key << " requests a key, seed " << seed << ": " << verdict.why;
    }
  }
}

TEST(Plateau, PoolThatWarmsUp) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::poisson_distribution<int> wanted(200);
    std::vector<Block> blocks;
    for (double t = 0.5; t < 60; t += 0.05) {
      const int in_use = static_cast<int>(wanted(random) * std::min(1.0, t / 5));
      while (static_cast<int>(blocks.size()) < in_use) {
        blocks.push_back({t, kForever, 4096});
      }
    }
    const Verdict verdict = verdict_on(blocks, auto_times(60));
    EXPECT_TRUE(verdict.behaviour == Behaviour::kPlateau ||
                verdict.behaviour == Behaviour::kOneTime)
        << model::name_of(verdict.behaviour) << ", seed " << seed << ": " << verdict.why;
  }
}

std::vector<Block> teeth(double length, double periods, double rate) {
  std::vector<Block> blocks;
  const double period = length / periods;
  for (double t = 1 / rate; t < length; t += 1 / rate) {
    blocks.push_back({t, (std::floor(t / period) + 1) * period});
  }
  return blocks;
}

TEST(Sawtooth, FourPeriodsWhereverTheRunEnds) {
  for (const double periods : {4.0, 4.2, 4.5, 4.9, 5.5, 12.3}) {
    const Verdict verdict = verdict_on(teeth(60, periods, 100), even_times(60, 60.0 / 63));
    EXPECT_EQ(verdict.behaviour, Behaviour::kSawtooth) << periods << ": " << verdict.why;
    const Verdict dense = verdict_on(teeth(60, periods, 100), auto_times(60));
    EXPECT_NE(dense.behaviour, Behaviour::kGrowing) << periods << ": " << dense.why;
  }
}

// Filled and cleared faster than snapshots are taken, and empty at the end.
TEST(NotPlateau, LevelThatIsLeft) {
  const std::uint64_t live[] = {0,   164, 83,  243, 123, 283, 163, 43,  235,
                                115, 293, 187, 67,  291, 171, 51,  243, 0};
  model::SiteHistory site;
  std::uint64_t born = 0;
  for (const std::uint64_t blocks : live) {
    site.at.push_back({100 * blocks, blocks, 100 * born, born});
    born += 300;
  }
  const Verdict verdict = verdict_on(site, even_times(3.4, 0.2));
  EXPECT_TRUE(verdict.behaviour == Behaviour::kSteady || verdict.behaviour == Behaviour::kSawtooth)
      << model::name_of(verdict.behaviour) << ": " << verdict.why;
}

TEST(OneTime, BurstAtTheStartAndLate) {
  for (const double when : {0.0, 0.3, 0.6, 0.95}) {
    std::mt19937 random(8);
    const Verdict verdict =
        verdict_on(births(random, 1000, 60 * when, 60 * when + 2), auto_times(60));
    EXPECT_EQ(verdict.behaviour, Behaviour::kOneTime) << when << ": " << verdict.why;
  }
}

TEST(OneTime, SingleBlock) {
  EXPECT_EQ(verdict_on(std::vector<Block>{{0.001, kForever, 1 << 20}}, auto_times(60)).behaviour,
            Behaviour::kOneTime);
}

TEST(Steady, TurnoverOfShortLivesFromZero) {
  std::mt19937 random(9);
  auto blocks = births(random, 500, 0, 60);
  for (Block& block : blocks) {
    block.died_s = block.born_s + 0.3;
  }
  const Verdict verdict = verdict_on(blocks, auto_times(60));
  EXPECT_EQ(verdict.behaviour, Behaviour::kSteady) << verdict.why;
}

// More and more requests at once, none kept: not a leak.
TEST(NotGrowing, LoadThatRises) {
  for (const double kept : {0.0, 1000.0}) {
    std::mt19937 random(10);
    auto blocks = births(random, 500, 0, 60);
    std::uniform_real_distribution<double> chance(0, 60);
    std::erase_if(blocks, [&](const Block& block) { return chance(random) > block.born_s; });
    for (Block& block : blocks) {
      block.died_s = block.born_s + 0.5;
    }
    append(blocks, births(random, kept, 0, kept > 0 ? 1 : 0));
    const Verdict verdict = verdict_on(blocks, auto_times(60));
    EXPECT_NE(verdict.behaviour, Behaviour::kGrowing) << kept << ": " << verdict.why;
  }
}

TEST(Unknown, FewerThanEightSnapshotsOrUnderASecond) {
  std::mt19937 random(11);
  const Verdict few = verdict_on(births(random, 100, 0, 60), even_times(60, 10));
  EXPECT_EQ(few.behaviour, Behaviour::kUnknown);
  EXPECT_NE(few.why.find("7 snapshots"), std::string::npos) << few.why;
  EXPECT_NE(few.why.find("would decide"), std::string::npos) << few.why;
  const Verdict brief = verdict_on(births(random, 1000, 0, 0.5), even_times(0.5, 0.05));
  EXPECT_EQ(brief.behaviour, Behaviour::kUnknown);
  EXPECT_NE(brief.why.find("11 snapshots over 500 ms are too short a time"), std::string::npos)
      << brief.why;
}

TEST(Unknown, NoMomentAtAll) {
  EXPECT_EQ(verdict_on(model::SiteHistory{}, {}).behaviour, Behaviour::kUnknown);
}

}  // namespace
}  // namespace seep::rank
