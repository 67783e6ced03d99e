#include "preload/script/memo.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace seep::script {
namespace {

class MemoTest : public testing::Test {
 protected:
  ~MemoTest() override { memo_.release(); }

  // Keeps `value` for what `words` hold now.
  void keep(std::uint64_t key, std::uint32_t native, const std::vector<std::uint64_t>& words,
            std::uint32_t value) {
    Stack read(&memo_);
    for (const std::uint64_t& word : words) {
      read.words.read(reinterpret_cast<std::uint64_t>(&word));
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
  Stack read(&memo_);
  read.words.read(reinterpret_cast<std::uint64_t>(&words[0]));
  auto* gone = new std::uint64_t(5);
  read.words.read(reinterpret_cast<std::uint64_t>(gone));
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
  Stack read(&memo_);
  read.words.read(reinterpret_cast<std::uint64_t>(&word));
  read.words.read_guarded(reinterpret_cast<std::uint64_t>(&guarded));
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
  Stack read(&memo_);
  for (unsigned i = 0; i < ReadSet::kMostWords; ++i) {
    const auto address = reinterpret_cast<std::uint64_t>(&words[i]);
    i % 2 == 0 ? read.words.read(address) : read.words.read_guarded(address);
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
  Stack read(&memo_);
  read.words.read_guarded(reinterpret_cast<std::uint64_t>(&guarded));
  guarded = 3;
  note_change();
  memo_.add(7, 1, read, 42);
  EXPECT_EQ(memo_.find(7, 1), 0U);
}

TEST_F(MemoTest, KeepsNothingOfAStackWithTooManyGuardedWords) {
  const std::uint64_t guarded = 2;
  Stack read(&memo_);
  for (unsigned i = 0; i <= ReadSet::kMostWords; ++i) {
    read.words.read_guarded(reinterpret_cast<std::uint64_t>(&guarded));
  }
  memo_.add(7, 1, read, 42);
  EXPECT_EQ(memo_.find(7, 1), 0U);
}

TEST_F(MemoTest, KeepsNothingOfAStackWithTooManyWords) {
  const std::vector<std::uint64_t> words(ReadSet::kMostWords + 1, 5);
  keep(7, 1, words, 42);
  EXPECT_EQ(memo_.find(7, 1), 0U);
}

// A stack of frames of one word each, the innermost first.
class RestOfAWalk : public MemoTest {
 protected:
  struct alignas(32) Frame {
    std::uint64_t word;
    std::uint64_t guarded = 1;
  };

  explicit RestOfAWalk(unsigned count = 20) { resize(count); }
  void resize(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      frames_.push_back({100 + i});
    }
  }
  // Walks over the frames from the first one on, as far as no rest of an earlier walk is taken
  // over; how many it walked over. Kept as `value`.
  unsigned walk(std::uint64_t key, std::uint32_t value, unsigned first = 0) {
    Stack stack(&memo_);
    unsigned walked = 0;
    for (unsigned i = first; i < frames_.size(); ++i) {
      const auto frame = reinterpret_cast<std::uint64_t>(&frames_[i]);
      LastFrames::Frame& last = stack.last->at(frame);
      if (memo_.take_rest_of(frame, last, stack)) {
        break;
      }
      last.rest = memo_.rest_from(frame, stack);
      ++walked;
      const auto id = static_cast<std::uint32_t>(stack.words.read(frame));
      stack.words.read_guarded(frame + offsetof(Frame, guarded));
      if (!stack.add(id)) {
        break;
      }
    }
    told_.assign(stack.frames, stack.frames + stack.depth);
    cut_ = stack.cut;
    memo_.add(key, 1, stack, value);
    return walked;
  }
  // What a walk over all of them gives.
  [[nodiscard]] std::vector<std::uint32_t> all_from(unsigned first) const {
    std::vector<std::uint32_t> ids;
    for (unsigned i = first; i < frames_.size() && ids.size() < kMostFrames; ++i) {
      ids.push_back(static_cast<std::uint32_t>(frames_[i].word));
    }
    return ids;
  }

  std::vector<Frame> frames_;
  std::vector<std::uint32_t> told_;
  bool cut_ = false;
};

TEST_F(RestOfAWalk, IsTakenOverWhereNothingChanged) {
  EXPECT_EQ(walk(1, 41), frames_.size());
  frames_[0].word = 7;
  EXPECT_EQ(walk(2, 42), 1U);
  EXPECT_EQ(told_, all_from(0));
  EXPECT_EQ(memo_.find(2, 1), 42U);
  for (Frame& frame : frames_) {
    ++frame.word;
    EXPECT_EQ(memo_.find(2, 1), 0U) << "all words are compared";
    --frame.word;
  }
  EXPECT_EQ(walk(3, 43, 5), 0U) << "from further out, too";
  EXPECT_EQ(told_, all_from(5));
}

TEST_F(RestOfAWalk, IsWalkedAsFarAsAWordOfItChanged) {
  walk(1, 41);
  frames_[3].word = 7;
  EXPECT_EQ(walk(2, 42), 4U);
  EXPECT_EQ(told_, all_from(0));
}

TEST_F(RestOfAWalk, TheGuardedWordsOfItAreComparedToo) {
  walk(1, 41);
  frames_[0].word = 7;
  walk(2, 42);
  EXPECT_EQ(memo_.find(2, 1), 42U);
  frames_.back().guarded = 2;
  note_change();
  EXPECT_EQ(memo_.find(2, 1), 0U);
  frames_[0].word = 8;
  EXPECT_EQ(walk(3, 43), frames_.size());
}

TEST_F(RestOfAWalk, OfAnEarlierRequestIsGone) {
  walk(1, 41);
  begin_epoch();
  EXPECT_EQ(walk(2, 42), frames_.size());
}

TEST_F(RestOfAWalk, OfAMemoryThatWasEmptiedIsGone) {
  walk(1, 41);
  const std::vector<std::uint64_t> words(200, 5);
  for (std::uint32_t i = 1; i <= 3000; ++i) {
    keep(std::uint64_t{i} << 32 | i, 1, words, i);
  }
  EXPECT_EQ(walk(2, 42), frames_.size());
}

// What is beyond the end of a stack that was cut is not known, and a longer one is cut itself.
TEST_F(RestOfAWalk, OfAStackThatWasCutIsOnlyTakenByALongerOne) {
  resize(3 * kMostFrames);
  walk(1, 41, 10);
  EXPECT_TRUE(cut_);
  EXPECT_EQ(walk(2, 42, 8), 2U);
  EXPECT_EQ(told_, all_from(8));
  EXPECT_TRUE(cut_);
  EXPECT_GT(walk(3, 43, 12), kMostFrames) << "two frames more than were told before";
  EXPECT_EQ(told_, all_from(12));
  EXPECT_TRUE(cut_);
}

// One that was not cut may be too long for a stack that has come further.
TEST_F(RestOfAWalk, ThatDoesNotFitIsCut) {
  resize(20);
  walk(1, 41, 8);
  EXPECT_FALSE(cut_);
  EXPECT_EQ(walk(2, 42), 8U);
  EXPECT_EQ(told_, all_from(0));
  EXPECT_TRUE(cut_);
}

// Where a walk is not kept, there may be anything at its place: also ids of frames that look like
// its number.
TEST_F(RestOfAWalk, OfAWalkThatWasNotKeptIsNotTaken) {
  for (unsigned before = 1; before < 40; ++before) {
    Memo memo{};
    {
      Stack kept(&memo);
      while (kept.add(60)) {
      }
      memo.add(1, 1, kept, 41);
    }
    begin_epoch();
    {
      Stack kept(&memo);
      for (unsigned i = 0; i < before; ++i) {
        kept.add(60);
      }
      memo.add(1, 1, kept, 41);
    }
    const auto frame = reinterpret_cast<std::uint64_t>(frames_.data());
    for (unsigned i = 0; i < 100; ++i) {
      Stack lost(&memo);
      LastFrames::Frame& last = lost.last->at(frame);
      ASSERT_FALSE(memo.take_rest_of(frame, last, lost)) << i;
      last.rest = memo.rest_from(frame, lost);
    }
    memo.release();
  }
}

TEST_F(RestOfAWalk, OfAStackThatLacksFramesIsNotTaken) {
  Stack stack(&memo_);
  const auto frame = reinterpret_cast<std::uint64_t>(frames_.data());
  stack.last->at(frame).rest = memo_.rest_from(frame, stack);
  stack.words.read(frame);
  ++stack.lost;
  memo_.add(1, 1, stack, 41);
  EXPECT_EQ(walk(2, 42), frames_.size());
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
