#include "format/checksum.h"

#include <gtest/gtest.h>

#include <string>

namespace seep::format {
namespace {

std::uint32_t crc_of(const std::string& text) {
  return crc32(text.data(), text.size());
}

// One bit at a time, straight from the definition.
std::uint32_t slow_crc(const std::string& text) {
  std::uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    }
  }
  return ~crc;
}

TEST(Checksum, GivesTheCheckValueOfCrc32) {
  EXPECT_EQ(crc_of("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc_of(""), 0U);
}

TEST(Checksum, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += static_cast<char>(i * 37 + 11);
  }
  for (std::size_t start = 0; start < 9; ++start) {
    for (std::size_t length = 0; start + length <= text.size(); ++length) {
      const std::string part = text.substr(start, length);
      ASSERT_EQ(crc32(text.data() + start, length), slow_crc(part)) << start << "+" << length;
    }
  }
}

TEST(Checksum, GoesOnFromAnEarlierPart) {
  const std::string text = "a text that is checked in two parts";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    const std::uint32_t first = crc32(text.data(), split);
    EXPECT_EQ(crc32(text.data() + split, text.size() - split, first), crc_of(text));
  }
}

}  // namespace
}  // namespace seep::format
