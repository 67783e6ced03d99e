#include "preload/script/known_frames.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "preload/table/script_frame_table.h"

namespace seep::script {
namespace {

constexpr std::uint32_t kNone = table::ScriptFrameTable::kNone;

class KnownFramesTest : public testing::Test {
 protected:
  std::unique_ptr<KnownFrames> known_ = std::make_unique<KnownFrames>();
};

TEST_F(KnownFramesTest, KnowsNothingAtFirst) {
  EXPECT_EQ(known_->find({}), kNone) << "not even what looks like an empty entry";
  EXPECT_EQ(known_->find({{1, 2, 3}}), kNone);
}

TEST_F(KnownFramesTest, EachWordTellsFramesApart) {
  const KnownFrames::Key key{{1, 2, 3, 4, 5}};
  known_->keep(key, 42);
  EXPECT_EQ(known_->find(key), 42U);
  for (unsigned i = 0; i < KnownFrames::kWords; ++i) {
    KnownFrames::Key other = key;
    other.words[i] ^= 1;
    EXPECT_EQ(known_->find(other), kNone) << i;
    // One that stands in the same place, too.
    for (std::uint64_t word = 0; word < 100000; ++word) {
      other.words[i] = word << 32;
      ASSERT_EQ(known_->find(other), kNone) << i << " " << word;
    }
  }
}

TEST_F(KnownFramesTest, TheLastOneOfAPlaceIsKept) {
  for (std::uint64_t i = 1; i <= 100000; ++i) {
    known_->keep({{i, i, i}}, static_cast<std::uint32_t>(i));
    ASSERT_EQ(known_->find({{i, i, i}}), i);
  }
  unsigned found = 0;
  for (std::uint64_t i = 1; i <= 100000; ++i) {
    found += known_->find({{i, i, i}}) == i ? 1 : 0;
  }
  EXPECT_GT(found, 1000U);
  EXPECT_LE(found, 4096U);
}

// Of two frames that write over each other, a reader gets the one asked for, or none.
TEST_F(KnownFramesTest, AWriterIsNeverReadHalf) {
  const KnownFrames::Key one{{1, 1, 1, 1, 1}};
  KnownFrames::Key other = one;
  known_->keep(one, 1);
  while (known_->find(one) == 1) {
    ++other.words[4];
    known_->keep(other, 2);
  }
  std::atomic<bool> ends{false};
  std::thread writer([&] {
    while (!ends.load()) {
      known_->keep(one, 1);
      known_->keep(other, 2);
    }
  });
  std::uint64_t wrong = 0;
  std::uint64_t right = 0;
  for (unsigned i = 0; i < 3000000 || right == 0; ++i) {  // until the writer has begun
    const std::uint32_t found = known_->find(one);
    wrong += found == 2 ? 1 : 0;
    right += found == 1 ? 1 : 0;
  }
  ends.store(true);
  writer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(right, 0U);
}

}  // namespace
}  // namespace seep::script
