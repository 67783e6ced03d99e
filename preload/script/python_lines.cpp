#include "preload/script/python_lines.h"

namespace seep::script {
namespace {

constexpr unsigned kCodeUnitBytes = 2;

// Lines as they are added up: a hostile table may come to any number.
std::uint32_t line_from(std::int64_t line) {
  return line > 0 && line <= INT32_MAX ? static_cast<std::uint32_t>(line) : 0;
}

// An entry tells by how much the line differs from there on.
std::uint32_t line_in_lnotab(TableBytes& bytes, std::int64_t line, std::int64_t address) {
  std::int64_t begin = 0;
  std::uint8_t length = 0;
  std::uint8_t change = 0;
  while (bytes.take(length) && bytes.take(change)) {
    begin += length;
    if (begin > address) {
      break;
    }
    line += static_cast<std::int8_t>(change);
  }
  return line_from(line);
}

std::uint32_t line_in_ranges(TableBytes& bytes, std::int64_t line, std::int64_t address) {
  constexpr std::int8_t kNoLine = -128;
  std::int64_t end = 0;
  std::uint8_t length = 0;
  std::uint8_t change = 0;
  while (bytes.take(length) && bytes.take(change)) {
    const auto by = static_cast<std::int8_t>(change);
    end += length;
    line += by == kNoLine ? 0 : by;
    if (address < end) {
      return by == kNoLine ? 0 : line_from(line);
    }
  }
  return 0;
}

// Six bits a byte, the lowest first; bit 6: another one follows.
std::uint64_t take_varint(TableBytes& bytes) {
  constexpr unsigned kMostShift = 36;
  std::uint64_t value = 0;
  std::uint8_t byte = 0;
  for (unsigned shift = 0; bytes.take(byte); shift += 6) {
    value |= shift <= kMostShift ? std::uint64_t{byte & 63U} << shift : 0;
    if ((byte & 64) == 0) {
      break;
    }
  }
  return value;
}

// Bit 0 is the sign.
std::int64_t take_signed_varint(TableBytes& bytes) {
  const std::uint64_t value = take_varint(bytes);
  const auto amount = static_cast<std::int64_t>(value >> 1);
  return (value & 1) != 0 ? -amount : amount;
}

std::uint32_t line_in_locations(TableBytes& bytes, std::int64_t line, std::int64_t address) {
  constexpr std::uint8_t kEntry = 0x80;  // set in the first byte of an entry only
  enum Kind : std::uint8_t { kOneLine0 = 10, kOneLine2 = 12, kNoColumns, kLong, kNoLine };
  std::int64_t end = 0;
  std::uint8_t head = 0;
  while (bytes.take(head)) {
    const unsigned kind = head >> 3 & 15U;
    end += (head & 7U) * kCodeUnitBytes + kCodeUnitBytes;
    if (kind == kNoColumns || kind == kLong) {
      line += take_signed_varint(bytes);
    } else if (kind >= kOneLine0 && kind <= kOneLine2) {
      line += kind - kOneLine0;
    }
    if (address < end) {
      return kind == kNoLine ? 0 : line_from(line);
    }
    std::uint8_t next = 0;
    while (bytes.peek(next) && (next & kEntry) == 0) {
      bytes.take(next);  // columns
    }
  }
  return 0;
}

}  // namespace

bool TableBytes::refill() {
  if (at_ >= kMostTableBytes) {
    return false;
  }
  const std::size_t read = read_(context_, at_, piece_, sizeof(piece_));
  at_ += read;
  used_ = 0;
  filled_ = read <= sizeof(piece_) ? read : 0;
  return filled_ != 0;
}

bool TableBytes::peek(std::uint8_t& byte) {
  if (used_ == filled_ && !refill()) {
    filled_ = 0;
    used_ = 0;
    return false;
  }
  byte = piece_[used_];
  return true;
}

bool TableBytes::take(std::uint8_t& byte) {
  if (!peek(byte)) {
    return false;
  }
  ++used_;
  return true;
}

std::uint32_t line_of(LineTableKind kind, TableBytes& bytes, std::uint32_t first_line,
                      std::int64_t address) {
  if (address < 0) {
    return first_line;
  }
  switch (kind) {
    case LineTableKind::kLnotab:
      return line_in_lnotab(bytes, first_line, address);
    case LineTableKind::kRanges:
      return line_in_ranges(bytes, first_line, address);
    case LineTableKind::kLocations:
      return line_in_locations(bytes, first_line, address);
  }
  return 0;
}

}  // namespace seep::script
