#include "analyzer/export/protobuf.h"

namespace seep::exporters {
namespace {

constexpr unsigned kVarint = 0;
constexpr unsigned kLengthDelimited = 2;

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7U) {
    ++size;
  }
  return size;
}

}  // namespace

void ProtobufMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) {
    bytes_ += static_cast<char>(0x80U | (value & 0x7FU));
  }
  bytes_ += static_cast<char>(value);
}

void ProtobufMessage::key(unsigned field, unsigned wire_type) {
  varint(field << 3U | wire_type);
}

ProtobufMessage& ProtobufMessage::number(unsigned field, std::uint64_t value) {
  if (value != 0) {
    key(field, kVarint);
    varint(value);
  }
  return *this;
}

ProtobufMessage& ProtobufMessage::text(unsigned field, std::string_view value) {
  key(field, kLengthDelimited);
  varint(value.size());
  bytes_ += value;
  return *this;
}

ProtobufMessage& ProtobufMessage::message(unsigned field, const ProtobufMessage& value) {
  return text(field, value.bytes_);
}

ProtobufMessage& ProtobufMessage::numbers(unsigned field, std::span<const std::uint64_t> values) {
  std::size_t size = 0;
  for (const std::uint64_t value : values) {
    size += varint_size(value);
  }
  key(field, kLengthDelimited);
  varint(size);
  for (const std::uint64_t value : values) {
    varint(value);
  }
  return *this;
}

}  // namespace seep::exporters
