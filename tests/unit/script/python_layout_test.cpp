// What a version says of its own layout, and what it may not say.
#include "preload/script/python_layout.h"

#include <gtest/gtest.h>

namespace seep::script {
namespace {

// The beginning of _PyRuntime of 3.13.0, in words.
constexpr std::uint64_t k3_13_0[] = {
    0x7970677562656478,
    0x30d00f0,
    0,
    0x452b8,
    0x260,
    0x278,
    0x2f998,
    0x1c68,
    0x1c60,
    0x1cb0,
    0x1ce8,
    0x1de8,
    0x1dd8,
    0x1de0,
    0x10,
    0x1e48,
    0,
    0x1e58,
    0x1e50,
    0x130,
    0,
    0x8,
    0x10,
    0x48,
    0x98,
    0xa0,
    0xe8,
    0x20,
    0x50,
    0x8,
    0,
    0x38,
    0x48,
    0x46,
    0xd0,
    0x70,
    0x78,
    0x80,
    0x88,
    0x44,
    0x34,
    0x60,
    0x68,
    0xc8,
    0x10,
    0x8,
    0x1a0,
    0x18,
    0x58,
    0xa8,
    0x20,
    0x18,
    0x10,
    0x28,
    0x18,
    0x10,
    0x30,
    0x20,
    0x28,
    0x18,
    0x10,
    0x20,
    0x10,
    0x18,
    0x28,
    0x10,
    0x20,
    0x40,
    0x20,
    0x10,
    0x28,
    0xf0,
};

class PythonSelfDescription : public ::testing::Test {
 protected:
  PythonSelfDescription() { std::copy(std::begin(k3_13_0), std::end(k3_13_0), words_); }

  bool is_refused_with(std::size_t word, std::uint64_t value) {
    const std::uint64_t before = words_[word];
    words_[word] = value;
    PythonLayout layout{};
    const bool refused = !read_self_description(words_, layout);
    words_[word] = before;
    return refused;
  }

  std::uint64_t words_[kSelfDescriptionWords] = {};
};

// As offsetof() says of its headers.
TEST_F(PythonSelfDescription, TellsTheLayout) {
  PythonLayout layout{};
  ASSERT_TRUE(read_self_description(words_, layout));
  EXPECT_EQ(layout.thread_frame, 72);
  EXPECT_EQ(layout.c_frame, kNoOffset);
  EXPECT_EQ(layout.frame_code, 0);
  EXPECT_EQ(layout.frame_previous, 8);
  EXPECT_EQ(layout.frame_instruction, 56);
  EXPECT_EQ(layout.frame_owner, 70);
  EXPECT_EQ(layout.code_file, 112);
  EXPECT_EQ(layout.code_name, 128);
  EXPECT_EQ(layout.code_line_table, 136);
  EXPECT_EQ(layout.code_first_line, 68);
  EXPECT_EQ(layout.code_begin, 200);
  EXPECT_EQ(layout.text_ascii, 40);
  EXPECT_EQ(layout.text_other, 56);
}

TEST_F(PythonSelfDescription, IsRefusedWhereItIsNotTheOneMeant) {
  EXPECT_TRUE(is_refused_with(0, 0)) << "no cookie";
  EXPECT_TRUE(is_refused_with(1, 0x030F00F0)) << "a version that is not known";
  EXPECT_TRUE(is_refused_with(2, 1)) << "without the global lock";
  EXPECT_TRUE(is_refused_with(45, 16)) << "PyObject.ob_type";
  EXPECT_TRUE(is_refused_with(68, 40)) << "PyASCIIObject.state";
  EXPECT_TRUE(is_refused_with(23, 1 << 20)) << "an offset beyond all structures";
  EXPECT_TRUE(is_refused_with(1, 0x030E00F0)) << "3.14 lays it out otherwise";
}

TEST(PythonLayout, IsKnownOfTheVersionsThatDoNotTell) {
  EXPECT_EQ(known_layout(0x030712F0), nullptr);
  for (std::uint32_t minor = 8; minor <= 12; ++minor) {
    EXPECT_NE(known_layout(3U << 24 | minor << 16 | 0x01F0), nullptr) << minor;
  }
  EXPECT_EQ(known_layout(0x030D00F0), nullptr);
  EXPECT_EQ(known_layout(0x030A0DF0)->frame_instruction, 96);
  EXPECT_EQ(known_layout(0x030B02F0)->code_begin, 184);
  EXPECT_EQ(known_layout(0x030C01F0)->code_begin, 192);
}

}  // namespace
}  // namespace seep::script
