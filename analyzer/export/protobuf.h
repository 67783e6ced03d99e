// Encodes messages of protocol buffers, as far as a profile needs them: numbers, texts, messages in
// messages. https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace seep::exporters {

class ProtobufMessage {
 public:
  // A number of 0 is the default and is left out. Negative ones take ten bytes.
  ProtobufMessage& number(unsigned field, std::uint64_t value);
  ProtobufMessage& text(unsigned field, std::string_view value);
  ProtobufMessage& message(unsigned field, const ProtobufMessage& value);
  // All numbers behind one key ("packed").
  ProtobufMessage& numbers(unsigned field, std::span<const std::uint64_t> values);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  void varint(std::uint64_t value);
  void key(unsigned field, unsigned wire_type);

  std::string bytes_;
};

}  // namespace seep::exporters
