#include "preload/table/range_table.h"

#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "preload/runtime/arena.h"

namespace seep::table {
namespace {

constexpr std::uint32_t kNoSplit = 0;

struct Piece {
  std::uintptr_t begin;
  std::uintptr_t end;
  std::uint32_t site;
  bool operator==(const Piece&) const = default;
};

std::vector<Piece> pieces_of(RangeTable& table) {
  std::vector<Piece> pieces;
  EXPECT_TRUE(table.walk([&](const Range& range) {
    pieces.push_back({range.begin, range.end, range.site});
  }));
  return pieces;
}

class Ranges : public testing::Test {
 protected:
  void insert(std::uintptr_t begin, std::uintptr_t end, std::uint32_t site) {
    split_ = kNoSplit;
    ASSERT_TRUE(table_.insert({begin, end, site, 0}, split_));
  }
  void remove(std::uintptr_t begin, std::uintptr_t end) {
    split_ = kNoSplit;
    ASSERT_TRUE(table_.remove(begin, end, split_));
  }

  RangeTable table_;
  std::uint32_t split_ = kNoSplit;
};

TEST_F(Ranges, AreKeptInAscendingOrder) {
  insert(300, 400, 3);
  insert(100, 200, 1);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 200, 1}, {300, 400, 3}}));
}

TEST_F(Ranges, AreCutAtEitherEnd) {
  insert(100, 400, 1);
  remove(100, 200);
  remove(300, 500);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{200, 300, 1}}));
  EXPECT_EQ(split_, kNoSplit);
}

TEST_F(Ranges, AreCutInTwoAndSayWhichSiteHasOneMore) {
  insert(100, 400, 7);
  remove(200, 300);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 200, 7}, {300, 400, 7}}));
  EXPECT_EQ(split_, 7U);
}

TEST_F(Ranges, AreReplacedByWhatIsMappedOverThem) {
  insert(100, 200, 1);
  insert(200, 300, 2);
  insert(300, 400, 3);
  insert(150, 350, 4);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 150, 1}, {150, 350, 4}, {350, 400, 3}}));
}

TEST_F(Ranges, OfNobodyAreRemovedWithoutEffect) {
  insert(100, 200, 1);
  remove(200, 300);
  remove(0, 100);
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{100, 200, 1}}));
}

TEST_F(Ranges, AreFoundByAnyAddressInside) {
  insert(100, 200, 1);
  Range found;
  EXPECT_TRUE(table_.find(100, found));
  EXPECT_TRUE(table_.find(199, found));
  EXPECT_EQ(found.site, 1U);
  EXPECT_FALSE(table_.find(200, found));
  EXPECT_FALSE(table_.find(99, found));
}

// The lock is tried for a bounded time: its holder may be stopped.
TEST_F(Ranges, GiveUpInsteadOfWaitingForTheHolder) {
  insert(100, 200, 1);
  table_.walk([&](const Range&) {
    Range found;
    EXPECT_FALSE(table_.find(100, found));
    EXPECT_FALSE(table_.remove(100, 200, split_));
  });
  EXPECT_EQ(pieces_of(table_).size(), 1U);
}

// Longer than a time slice: on a busy machine the holder may have lost its processor.
TEST_F(Ranges, WaitForAHolderThatStandsStillForAWhile) {
  insert(100, 200, 1);
  std::atomic<bool> held{false};
  std::thread holder([&] {
    table_.walk([&](const Range&) {
      held = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
  });
  while (!held) {
    std::this_thread::yield();
  }
  insert(200, 300, 2);
  remove(100, 200);
  holder.join();
  EXPECT_EQ(pieces_of(table_), (std::vector<Piece>{{200, 300, 2}}));
}

sigjmp_buf g_out;

// A lock that a handler's jump left taken would never be free again.
TEST_F(Ranges, AreNotHeldBehindHandlersThatJump) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { siglongjmp(g_out, 1); };
  sigaction(SIGALRM, &action, &before);
  const itimerval often{{0, 50}, {0, 50}};
  const itimerval none{};
  volatile unsigned jumps = 0;
  volatile std::uintptr_t next = 0;
  if (sigsetjmp(g_out, 1) != 0) {
    jumps = jumps + 1;
  }
  if (jumps < 500) {
    setitimer(ITIMER_REAL, &often, nullptr);
    while (true) {
      next = next + 1;
      std::uint32_t split = kNoSplit;
      table_.insert({next % 1000 * 10, next % 1000 * 10 + 5, 1, 0}, split);
    }
  }
  setitimer(ITIMER_REAL, &none, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  insert(100'000, 100'100, 1);
}

// A copy of the process, made in the middle of a change, has the table as it was before or after
// it. The copy is one by clone, as libc's fork would wait for locks of its own.
TEST_F(Ranges, AreWholeInAChildWheneverItIsBorn) {
  constexpr std::uintptr_t kCount = 600;
  constexpr std::uintptr_t kEnd = (kCount + 1) * 100;
  for (std::uintptr_t i = 1; i <= kCount; ++i) {
    insert(i * 100, i * 100 + 50, 1);
  }
  std::atomic<bool> over{false};
  const auto change = [this](std::uintptr_t i) {  // in a gap, and at the end
    const std::uintptr_t gap = i * 37 % kCount * 100 + 50;
    std::uint32_t split = kNoSplit;
    table_.insert({gap + 10 + i % 2 * 20, gap + 20 + i % 2 * 20, 2, 0}, split);
    table_.remove(gap, gap + 50, split);
    table_.insert({kEnd + i % 7 * 10, kEnd + 200, 2, 0}, split);
    table_.remove(kEnd, kEnd + 200, split);
  };
  const auto is_whole = [this] {
    std::uintptr_t found = 0;
    std::uintptr_t from = 0;
    bool sorted = true;
    const bool walked = table_.walk([&](const Range& range) {
      sorted = sorted && range.begin >= from && range.begin < range.end;
      from = range.end;
      found += range.site == 1 ? 1 : 0;
    });
    return walked && sorted && found == kCount;
  };
  std::thread changes([&] {
    for (std::uintptr_t i = 0; !over; ++i) {
      change(i);
    }
  });
  unsigned whole = 0;
  constexpr unsigned kChildren = 500;
  for (unsigned child = 0; child < kChildren; ++child) {
    const long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
      table_.free_after_fork();
      const bool is_born_whole = is_whole();
      for (std::uintptr_t i = 0; i < 20; ++i) {
        change(i);
      }
      _exit(is_born_whole && is_whole() ? 0 : 1);
    }
    int status = 0;
    waitpid(static_cast<pid_t>(pid), &status, 0);
    whole += status == 0 ? 1 : 0;
  }
  over = true;
  changes.join();
  EXPECT_EQ(whole, kChildren);
}

// What was mapped page by page, as an array of sites, beside what the table says.
class RangesAndArray : public Ranges {
 protected:
  // Maps or unmaps at most `most` pages.
  void change(std::size_t most, bool map) {
    const std::size_t begin = random_() % (expected_.size() - 1);
    const std::size_t end =
        begin + 1 + random_() % std::min<std::size_t>(most, expected_.size() - begin - 1);
    ++event_;
    map ? insert(begin, end, event_) : remove(begin, end);
    std::fill(expected_.begin() + static_cast<std::ptrdiff_t>(begin),
              expected_.begin() + static_cast<std::ptrdiff_t>(end), map ? event_ : 0);
  }

  void compare() {
    std::vector<std::uint32_t> found(expected_.size(), 0);
    std::uintptr_t from = 0;
    for (const Piece& piece : pieces_of(table_)) {
      ASSERT_LE(from, piece.begin);
      ASSERT_LT(piece.begin, piece.end);
      from = piece.end;
      std::fill(found.begin() + static_cast<std::ptrdiff_t>(piece.begin),
                found.begin() + static_cast<std::ptrdiff_t>(piece.end), piece.site);
    }
    ASSERT_EQ(found, expected_);
  }

  static constexpr std::size_t kMostPages = 20'000;
  std::vector<std::uint32_t> expected_ = std::vector<std::uint32_t>(kMostPages, 0);
  std::mt19937 random_{1};
  std::uint32_t event_ = 0;
};

TEST_F(RangesAndArray, AgreeOverRandomEvents) {
  expected_.resize(400);
  for (unsigned i = 0; i < 20'000; ++i) {
    change(20, random_() % 2 == 0);
  }
  compare();
}

// Some ten thousand maps of a few pages, cut, replaced and removed by hundreds at once, down to
// none.
TEST_F(RangesAndArray, AgreeWhileManyComeAndGo) {
  for (unsigned round = 0; round < 4; ++round) {
    for (unsigned i = 0; i < 40'000; ++i) {
      change(3, random_() % 4 != 0);
    }
    compare();
    EXPECT_GT(pieces_of(table_).size(), 5'000U);
    for (unsigned i = 0; i < 200; ++i) {
      change(1'000, i % 50 == 0);
    }
    compare();
    Range found;
    for (std::size_t page = 0; page < expected_.size(); page += 7) {
      ASSERT_EQ(table_.find(page, found), expected_[page] != 0);
    }
  }
  remove(0, kMostPages);
  EXPECT_TRUE(pieces_of(table_).empty());
}

// Nearly all of them go, one by one, and come back.
TEST_F(RangesAndArray, AgreeWhereFewAreLeft) {
  for (unsigned round = 0; round < 2; ++round) {
    for (std::size_t page = 0; page < kMostPages; page += 2) {
      insert(page, page + 1, expected_[page] = 1 + static_cast<std::uint32_t>(page));
    }
    compare();
    for (std::size_t page = 0; page < kMostPages; page += 2) {
      if (page % 97 != 0) {
        remove(page, page + 1);
        expected_[page] = 0;
      }
    }
    compare();
  }
}

// What was freed is used again.
TEST_F(Ranges, TakeNoMoreMemoryThanTheMostEverNeeded) {
  const auto fill = [this](std::uint32_t site) {
    for (std::uintptr_t i = 0; i < 20'000; ++i) {
      insert(i * 10, i * 10 + 5, site);
    }
    remove(0, 200'000);
  };
  fill(1);
  const std::uint64_t after_one = runtime::mapped_bytes();
  for (std::uint32_t site = 2; site < 6; ++site) {
    fill(site);
  }
  EXPECT_EQ(runtime::mapped_bytes(), after_one);
}

}  // namespace
}  // namespace seep::table
