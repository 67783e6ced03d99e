#include "preload/table/stack_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace seep::table {
namespace {

using Frames = std::vector<std::uint64_t>;  // innermost first

stack::Stack stack_of(const Frames& frames, bool cut = false) {
  stack::Stack stack{};
  stack.depth = static_cast<unsigned>(frames.size());
  stack.cut = cut;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    stack.frames[i] = {frames[i], 0};
  }
  return stack;
}

Frames frames_of(const StackTable& table, std::uint32_t node) {
  Frames frames;
  for (; node != StackTable::kRoot; node = table.node(node)->parent) {
    frames.push_back(table.node(node)->frame);
  }
  return frames;
}

std::unique_ptr<StackTable> make_table() {
  return std::make_unique<StackTable>();
}

TEST(StackTable, GivesBackTheStackOfAnId) {
  const auto table = make_table();
  const Frames frames{30, 20, 10};
  EXPECT_EQ(frames_of(*table, table->intern(stack_of(frames))), frames);
}

TEST(StackTable, GivesEqualStacksOneId) {
  const auto table = make_table();
  const std::uint32_t id = table->intern(stack_of({30, 20, 10}));
  EXPECT_EQ(table->intern(stack_of({30, 20, 10})), id);
  EXPECT_NE(table->intern(stack_of({31, 20, 10})), id);
  EXPECT_NE(table->intern(stack_of({20, 10})), id);
}

TEST(StackTable, SharesTheOuterFrames) {
  const auto table = make_table();
  table->intern(stack_of({30, 20, 10}));
  const std::uint32_t before = table->count();
  table->intern(stack_of({31, 20, 10}));
  EXPECT_EQ(table->count(), before + 1);
}

TEST(StackTable, TellsACutStackFromAWholeOne) {
  const auto table = make_table();
  const std::uint32_t whole = table->intern(stack_of({20, 10}));
  const std::uint32_t cut = table->intern(stack_of({20, 10}, true));
  ASSERT_NE(whole, cut);
  EXPECT_EQ(table->node(table->node(cut)->parent)->flags & format::kCut, format::kCut);
}

TEST(StackTable, TakesTheEmptyStackForTheRoot) {
  EXPECT_EQ(make_table()->intern(stack_of({})), StackTable::kRoot);
}

// A walk whose steps lie in `stack`, a word each: the frame's number is its return address.
void walk_along(stack::LastWalk& last, const std::vector<std::uint64_t>& words, unsigned max_depth,
                bool& cut) {
  const auto base = reinterpret_cast<std::uint64_t>(words.data());
  const stack::FrameRegisters entry{words[0], base + 8, 0};
  stack::FrameRegisters regs = entry;
  last.begin(1);
  cut = false;
  while (true) {
    if (last.find(regs, 0)) {
      const stack::LastWalk::Repeat repeat = last.repeat(max_depth, regs);
      if (repeat != stack::LastWalk::Repeat::kLeft) {
        cut = repeat == stack::LastWalk::Repeat::kCut;
        break;
      }
    } else {
      last.stage({regs, 0, regs.ip, 0, 0, false, false, regs.ip == 0, false});
      if (regs.ip == 0) {
        break;
      }
      if (last.depth() > max_depth) {
        cut = true;
        break;
      }
    }
    last.set_caller(true, 0);
    regs = {words[(regs.sp - base) / 8], regs.sp + 8, 0};
  }
  last.end(entry, cut);
}

TEST(StackTable, FindsTheSameIdsThroughTheLastWalkOfAThread) {
  const auto table = make_table();
  stack::LastWalk last{};
  std::mt19937 random(2);
  std::vector<std::uint64_t> words(8, 1);
  words.back() = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::size_t begin = random() % 6;
    Frames frames(words.size() - 1 - begin);
    for (std::uint64_t& frame : frames) {
      frame = random() % 3 + 1;
    }
    std::copy(frames.begin(), frames.end(), words.begin() + static_cast<std::ptrdiff_t>(begin));
    bool cut = false;
    const unsigned max_depth = random() % 4 == 0 ? 3 : 20;
    walk_along(last, words, max_depth, cut);
    Frames expected(words.begin(), std::find(words.begin(), words.end(), 0));
    if (cut) {
      expected.resize(max_depth);
    }
    const std::uint32_t id = table->intern(last, cut);
    EXPECT_EQ(id, table->intern(stack_of(expected, cut)));
    EXPECT_EQ(frames_of(*table, id), expected);
  }
}

TEST(StackTable, KeepsParentsBelowTheirChildren) {
  const auto table = make_table();
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    table->intern(stack_of({random() % 50, random() % 20, random() % 10, random() % 3}));
  }
  for (std::uint32_t id = 1; id < table->count(); ++id) {
    EXPECT_LT(table->node(id)->parent, id);
  }
}

// More stacks than the roots of the trie have slots: nodes move down into tables.
// Longer than what is fetched at once.
TEST(StackTable, FindsEachPartOfALongPathAgain) {
  const auto table = make_table();
  Frames frames;
  for (std::uint64_t frame = 1; frame <= 60; ++frame) {
    frames.push_back(frame % 7);  // frames repeat, paths do not
  }
  const std::uint32_t innermost = table->intern(stack_of(frames));
  EXPECT_EQ(frames_of(*table, innermost), frames);
  EXPECT_EQ(table->count(), 1 + frames.size());
  while (!frames.empty()) {
    EXPECT_EQ(frames_of(*table, table->intern(stack_of(frames))), frames);
    frames.erase(frames.begin());
  }
  EXPECT_EQ(table->count(), 61U);
}

TEST(StackTable, KeepsManyStacksApart) {
  const auto table = make_table();
  constexpr std::uint64_t kStacks = 200'000;
  std::vector<std::uint32_t> ids;
  for (std::uint64_t i = 0; i < kStacks; ++i) {
    ids.push_back(table->intern(stack_of({i + 1, 7})));
  }
  EXPECT_EQ(std::set<std::uint32_t>(ids.begin(), ids.end()).size(), kStacks);
  for (std::uint64_t i = 0; i < kStacks; ++i) {
    ASSERT_EQ(table->intern(stack_of({i + 1, 7})), ids[i]);
    ASSERT_EQ(table->node(ids[i])->frame, i + 1);
  }
}

TEST(StackTable, ThreadsThatMeetAtAStackGetTheSameId) {
  const auto table = make_table();
  constexpr std::uint64_t kStacks = 20'000;
  std::vector<std::vector<std::uint32_t>> ids(4);
  std::vector<std::thread> threads;
  for (auto& mine : ids) {
    threads.emplace_back([&table, &mine] {
      for (std::uint64_t i = 0; i < kStacks; ++i) {
        mine.push_back(table->intern(stack_of({i % 97 + 1, i / 97 + 1, i % 13 + 1, 5})));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_EQ(ids[0], ids[3]);
}

}  // namespace
}  // namespace seep::table
