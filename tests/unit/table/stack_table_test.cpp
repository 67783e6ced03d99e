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

TEST(StackTable, FindsTheSameIdsThroughTheLastStackOfAThread) {
  const auto table = make_table();
  StackTable::LastStack last{};
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    Frames frames(random() % 6);
    for (std::uint64_t& frame : frames) {
      frame = random() % 3 + 1;
    }
    const stack::Stack stack = stack_of(frames, random() % 4 == 0);
    const std::uint32_t id = table->intern(stack, last);
    EXPECT_EQ(id, table->intern(stack));
    EXPECT_EQ(frames_of(*table, id), frames);
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
