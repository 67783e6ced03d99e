#include "preload/table/address_filter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace seep::table {
namespace {

constexpr std::uintptr_t kHeap = 0x555555560000;

std::unique_ptr<AddressFilter> make_filter(std::uint64_t mean_bytes) {
  auto filter = std::make_unique<AddressFilter>();
  filter->start(mean_bytes);
  return filter;
}

TEST(AddressFilter, HoldsNothingAtFirst) {
  const auto filter = make_filter(524288);
  EXPECT_FALSE(filter->may_hold(kHeap));
  EXPECT_FALSE(filter->may_hold(0));
  EXPECT_FALSE(filter->may_hold(~std::uintptr_t{0}));
}

TEST(AddressFilter, HoldsWhatWasAddedUntilItIsRemoved) {
  const auto filter = make_filter(524288);
  EXPECT_TRUE(filter->add(kHeap + 16));
  EXPECT_TRUE(filter->add(kHeap + 32));  // the same counter
  EXPECT_TRUE(filter->may_hold(kHeap + 16));
  filter->remove(kHeap + 16);
  EXPECT_TRUE(filter->may_hold(kHeap + 32));
  filter->remove(kHeap + 32);
  EXPECT_FALSE(filter->may_hold(kHeap + 32));
}

// More blocks in a stretch than a counter can hold: it stays up for good rather than go wrong.
TEST(AddressFilter, AFullCounterNeverForgets) {
  const auto filter = make_filter(524288);
  for (std::uintptr_t i = 0; i < 256; ++i) {
    EXPECT_TRUE(filter->add(kHeap + i * 16));
  }
  for (std::uintptr_t i = 0; i < 255; ++i) {
    filter->remove(kHeap + i * 16);
  }
  EXPECT_TRUE(filter->may_hold(kHeap + 255 * 16));
}

// Samples as far apart as the mean says, in heaps of growing size: the share of other blocks that
// the filter cannot rule out stays at about one in a hundred.
TEST(AddressFilter, RulesOutMostOthersWhateverTheHeap) {
  std::mt19937_64 random(4);
  for (const std::uint64_t mean : {std::uint64_t{8192}, std::uint64_t{65536}, std::uint64_t{524288},
                                   std::uint64_t{16} << 20}) {
    for (const std::uint64_t heap : {std::uint64_t{64} << 20, std::uint64_t{8} << 30}) {
      const auto filter = make_filter(mean);
      std::uniform_int_distribution<std::uintptr_t> granule(0, heap / 16 - 1);
      const auto samples = heap / mean;
      for (std::uint64_t i = 0; i < samples; ++i) {
        ASSERT_TRUE(filter->add(kHeap + granule(random) * 16));
      }
      constexpr int kProbes = 20000;
      int held = 0;
      for (int i = 0; i < kProbes; ++i) {
        held += filter->may_hold(kHeap + granule(random) * 16) ? 1 : 0;
      }
      EXPECT_LT(held, kProbes * 0.025) << mean << " " << heap;
    }
  }
}

// Threads add, look up and remove addresses of their own that share counters with those of others,
// in regions that come about meanwhile. What a thread holds, the filter must never rule out.
TEST(AddressFilter, NoFalseNegativeAmongThreads) {
  const auto filter = make_filter(524288);
  constexpr unsigned kThreads = 8;
  constexpr unsigned kRounds = 60000;
  std::atomic<unsigned> lost{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      std::vector<std::uintptr_t> held;
      for (unsigned round = 0; round < kRounds; ++round) {
        if (held.size() < 20 && random() % 2 == 0) {
          // 8 pages in each of up to 64 regions; the granules of a page are shared out to threads.
          const std::uintptr_t region = random() % (1 + round / 1000) << 30;
          const std::uintptr_t page = random() % 8 << 12;
          held.push_back((kHeap + region + page) | (t * 32 + random() % 32) << 4);
          filter->add(held.back());
        } else if (!held.empty()) {
          const std::size_t victim = random() % held.size();
          lost += filter->may_hold(held[victim]) ? 0 : 1;
          filter->remove(held[victim]);
          held[victim] = held.back();
          held.pop_back();
        }
        for (const std::uintptr_t address : held) {
          lost += filter->may_hold(address) ? 0 : 1;
        }
      }
      for (const std::uintptr_t address : held) {
        filter->remove(address);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(lost, 0U);
}

// Nothing is left when all is gone: the filter does not fill up over time.
TEST(AddressFilter, EmptiesAgainAfterThreads) {
  const auto filter = make_filter(524288);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 100000; ++i) {
        const std::uintptr_t address = kHeap + t * 16 + i % 1000 * 4096;
        filter->add(address);
        filter->remove(address);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (std::uintptr_t page = 0; page < 1000; ++page) {
    EXPECT_FALSE(filter->may_hold(kHeap + page * 4096)) << page;
  }
}

}  // namespace
}  // namespace seep::table
