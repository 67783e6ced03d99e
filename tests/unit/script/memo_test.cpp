#include "preload/script/memo.h"

#include <gtest/gtest.h>

#include <vector>

namespace seep::script {
namespace {

class MemoTest : public testing::Test {
 protected:
  ~MemoTest() override { memo_.release(); }

  // Keeps `value` for what `words` hold now.
  void keep(std::uint64_t key, std::uint32_t native, const std::vector<std::uint64_t>& words,
            std::uint32_t value) {
    ReadSet read(memo_.begin());
    for (const std::uint64_t& word : words) {
      read.read(reinterpret_cast<std::uint64_t>(&word));
    }
    memo_.add(key, native, read, value);
  }

  Memo memo_{};
};

TEST_F(MemoTest, KnowsNothingAtFirst) {
  EXPECT_EQ(memo_.find(1, 1), 0U);
}

TEST_F(MemoTest, FindsAStackWhileItsWordsAreAsTheyWere) {
  std::vector<std::uint64_t> words = {10, 20, 30};
  keep(7, 1, words, 42);
  EXPECT_EQ(memo_.find(7, 1), 42U);
  words[2] = 31;
  EXPECT_EQ(memo_.find(7, 1), 0U);
  words[2] = 30;
  EXPECT_EQ(memo_.find(7, 1), 42U);
}

// However many threads there are; those that get none read each stack.
TEST_F(MemoTest, AllTogetherHaveOneBound) {
  std::vector<Memo> memos(2000);
  std::size_t with_memory = 0;
  for (Memo& memo : memos) {
    with_memory += memo.begin() == nullptr ? 0 : 1;
    ASSERT_LE(Memo::bytes_of_all(), Memo::kMostBytes);
  }
  EXPECT_GT(with_memory, 100U);
  EXPECT_LT(with_memory, memos.size());
  for (Memo& memo : memos) {
    memo.release();
  }
  EXPECT_EQ(Memo::bytes_of_all(), 0U);
  std::vector<std::uint64_t> words = {10};
  keep(7, 1, words, 42);
  EXPECT_EQ(memo_.find(7, 1), 42U) << "what was given back is there again";
}

// A memory of a few KB is emptied, not overrun.
TEST_F(MemoTest, TheSmallOnesHoldStacksToo) {
  std::vector<Memo> memos(9);
  for (Memo& memo : memos) {
    ASSERT_NE(memo.begin(), nullptr);
  }
  std::vector<std::uint64_t> words(200, 3);
  for (std::uint64_t key = 1; key < 1000; ++key) {
    keep(key, 1, words, static_cast<std::uint32_t>(key));
    ASSERT_EQ(memo_.find(key, 1), key);
  }
  for (Memo& memo : memos) {
    memo.release();
  }
}

TEST_F(MemoTest, TellsKeysAndNativeFramesApart) {
  const std::vector<std::uint64_t> words = {1};
  keep(7, 1, words, 42);
  EXPECT_EQ(memo_.find(8, 1), 0U);
  EXPECT_EQ(memo_.find(7, 2), 0U);
}

TEST_F(MemoTest, TouchesNoWordBehindOneThatDiffers) {
  std::vector<std::uint64_t> words = {1};
  ReadSet read(memo_.begin());
  read.read(reinterpret_cast<std::uint64_t>(&words[0]));
  auto* gone = new std::uint64_t(5);
  read.read(reinterpret_cast<std::uint64_t>(gone));
  memo_.add(7, 1, read, 42);
  EXPECT_EQ(memo_.find(7, 1), 42U);
  delete gone;  // AddressSanitizer sees a read of it
  words[0] = 2;
  EXPECT_EQ(memo_.find(7, 1), 0U);
}

TEST_F(MemoTest, ForgetsWhatAnEarlierRequestKept) {
  const std::vector<std::uint64_t> words = {1};
  keep(7, 1, words, 42);
  begin_epoch();
  EXPECT_EQ(memo_.find(7, 1), 0U);
  keep(9, 1, words, 43);
  EXPECT_EQ(memo_.find(7, 1), 0U);
  EXPECT_EQ(memo_.find(9, 1), 43U);
}

// Guarded words are only looked at again when there was a change.
TEST_F(MemoTest, AGuardedWordThatChangedEndsAStackAndOneThatDidNotKeepsIt) {
  const std::uint64_t word = 1;
  std::uint64_t guarded = 2;
  ReadSet read(memo_.begin());
  read.read(reinterpret_cast<std::uint64_t>(&word));
  read.read_guarded(reinterpret_cast<std::uint64_t>(&guarded));
  memo_.add(7, 1, read, 42);
  EXPECT_EQ(memo_.find(7, 1), 42U);
  note_change();  // of another word
  EXPECT_EQ(memo_.find(7, 1), 42U);
  guarded = 3;
  note_change();
  EXPECT_EQ(memo_.find(7, 1), 0U);
  EXPECT_EQ(memo_.find(7, 1), 0U) << "and stays so";
}

TEST_F(MemoTest, WordsAndGuardedOnesShareTheirRoom) {
  std::vector<std::uint64_t> words(ReadSet::kMostWords, 5);
  ReadSet read(memo_.begin());
  for (unsigned i = 0; i < ReadSet::kMostWords; ++i) {
    const auto address = reinterpret_cast<std::uint64_t>(&words[i]);
    i % 2 == 0 ? read.read(address) : read.read_guarded(address);
  }
  memo_.add(7, 1, read, 42);
  for (unsigned i = 0; i < ReadSet::kMostWords; ++i) {
    EXPECT_EQ(memo_.find(7, 1), 42U);
    words[i] = 6;
    note_change();
    EXPECT_EQ(memo_.find(7, 1), 0U) << i;
    words[i] = 5;
  }
}

// The words that were read before it are not taken for newer ones.
TEST_F(MemoTest, AChangeDuringAWalkIsSeen) {
  std::uint64_t guarded = 2;
  ReadSet read(memo_.begin());
  read.read_guarded(reinterpret_cast<std::uint64_t>(&guarded));
  guarded = 3;
  note_change();
  memo_.add(7, 1, read, 42);
  EXPECT_EQ(memo_.find(7, 1), 0U);
}

TEST_F(MemoTest, KeepsNothingOfAStackWithTooManyGuardedWords) {
  const std::uint64_t guarded = 2;
  ReadSet read(memo_.begin());
  for (unsigned i = 0; i <= ReadSet::kMostWords; ++i) {
    read.read_guarded(reinterpret_cast<std::uint64_t>(&guarded));
  }
  memo_.add(7, 1, read, 42);
  EXPECT_EQ(memo_.find(7, 1), 0U);
}

TEST_F(MemoTest, KeepsNothingOfAStackWithTooManyWords) {
  const std::vector<std::uint64_t> words(ReadSet::kMostWords + 1, 5);
  keep(7, 1, words, 42);
  EXPECT_EQ(memo_.find(7, 1), 0U);
}

TEST_F(MemoTest, IsEmptiedWhenItIsFullAndGoesOn) {
  const std::vector<std::uint64_t> words(200, 5);
  for (std::uint32_t i = 1; i <= 5000; ++i) {
    keep(std::uint64_t{i} << 32 | i, 1, words, i);
    ASSERT_EQ(memo_.find(std::uint64_t{i} << 32 | i, 1), i);
  }
}

}  // namespace
}  // namespace seep::script
