#include "preload/stack/byte_cursor.h"

namespace seep::stack {

void ByteCursor::skip(std::int64_t bytes, const std::uint8_t* lowest) {
  const std::int64_t room_below = lowest - position_;
  const std::int64_t room_above = end_ - position_;
  if (!ok_ || bytes < room_below || bytes > room_above) {
    fail();
    return;
  }
  position_ += bytes;
}

void ByteCursor::skip(std::uint64_t bytes) {
  if (!ok_ || bytes > left()) {
    fail();
    return;
  }
  position_ += bytes;
}

std::uint64_t ByteCursor::take_unsigned_leb() {
  std::uint64_t value = 0;
  unsigned shift = 0;
  while (true) {
    const auto byte = take<std::uint8_t>();
    if (shift < 64) {
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    }
    shift += 7;
    if ((byte & 0x80) == 0) {
      return value;
    }
  }
}

std::int64_t ByteCursor::take_signed_leb() {
  std::uint64_t value = 0;
  unsigned shift = 0;
  while (true) {
    const auto byte = take<std::uint8_t>();
    if (shift < 64) {
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    }
    shift += 7;
    if ((byte & 0x80) == 0) {
      if (shift < 64 && (byte & 0x40) != 0) {
        value |= ~std::uint64_t{0} << shift;
      }
      return static_cast<std::int64_t>(value);
    }
  }
}

std::uint64_t ByteCursor::take_plain(std::uint8_t format) {
  switch (format) {
    case 0x00:
    case 0x04:
    case 0x0c:
      return take<std::uint64_t>();
    case 0x01:
      return take_unsigned_leb();
    case 0x02:
      return take<std::uint16_t>();
    case 0x03:
      return take<std::uint32_t>();
    case 0x09:
      return static_cast<std::uint64_t>(take_signed_leb());
    case 0x0a:
      return static_cast<std::uint64_t>(std::int64_t{take<std::int16_t>()});
    case kEncodingSigned4:
      return static_cast<std::uint64_t>(std::int64_t{take<std::int32_t>()});
    default:
      fail();
      return 0;
  }
}

std::uint64_t ByteCursor::take_pointer(std::uint8_t encoding, std::uint64_t data_base) {
  if ((encoding & kEncodingIndirect) != 0) {
    fail();
    return 0;
  }
  const std::uint64_t here = reinterpret_cast<std::uint64_t>(position_) + shift_;
  const std::uint64_t value = take_plain(encoding & 0x0f);
  switch (encoding & 0x70) {
    case 0x00:
      return value;
    case kEncodingPcRelative:
      return here + value;
    case kEncodingDataRelative:
      return data_base + value;
    default:
      fail();
      return 0;
  }
}

}  // namespace seep::stack
