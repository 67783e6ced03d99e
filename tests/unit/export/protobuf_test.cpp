// The encoding, against bytes worked out by hand from its published description.
#include "analyzer/export/protobuf.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace seep::exporters {
namespace {

using std::string_literals::operator""s;

TEST(Protobuf, NumbersTakeSevenBitsAByte) {
  EXPECT_EQ(ProtobufMessage().number(1, 150).bytes(), "\x08\x96\x01");
  EXPECT_EQ(ProtobufMessage().number(1, 127).bytes(), "\x08\x7f");
  EXPECT_EQ(ProtobufMessage().number(16, 1).bytes(), "\x80\x01\x01");
}

TEST(Protobuf, TheDefaultIsLeftOut) {
  EXPECT_EQ(ProtobufMessage().number(1, 0).bytes(), "");
}

TEST(Protobuf, NegativeNumbersTakeTenBytes) {
  const auto minus_one = static_cast<std::uint64_t>(std::int64_t{-1});
  EXPECT_EQ(ProtobufMessage().number(1, minus_one).bytes(),
            "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(Protobuf, TextsAndMessagesHaveTheirLengthInFront) {
  EXPECT_EQ(ProtobufMessage().text(2, "testing").bytes(), "\x12\x07testing");
  EXPECT_EQ(ProtobufMessage().text(6, "").bytes(), "\x32\x00"s);
  EXPECT_EQ(ProtobufMessage().message(3, ProtobufMessage().number(1, 150)).bytes(),
            "\x1a\x03\x08\x96\x01");
}

TEST(Protobuf, PackedNumbersKeepTheirZeros) {
  constexpr std::array<std::uint64_t, 3> kNumbers = {3, 0, 270};
  EXPECT_EQ(ProtobufMessage().numbers(4, kNumbers).bytes(), "\x22\x04\x03\x00\x8e\x02"s);
}

}  // namespace
}  // namespace seep::exporters
