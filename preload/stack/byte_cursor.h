// Reads the encodings of DWARF out of a range of bytes, and never beyond it.
// Context: IN-HOOK. A cursor belongs to one function; the bytes must stay mapped meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seep::stack {

// Pointer encodings of .eh_frame (Linux Standard Base, "DWARF Exception Header Encoding").
inline constexpr std::uint8_t kEncodingOmit = 0xff;
inline constexpr std::uint8_t kEncodingIndirect = 0x80;
inline constexpr std::uint8_t kEncodingPcRelative = 0x10;
inline constexpr std::uint8_t kEncodingDataRelative = 0x30;
inline constexpr std::uint8_t kEncodingSigned4 = 0x0b;

// After the first read that does not fit, every read gives 0 and ok() is false: a parser checks
// once at the end of a record.
class ByteCursor {
 public:
  // `shift` is added to a position to give its run-time address, when the bytes are a copy.
  ByteCursor(const std::uint8_t* begin, const std::uint8_t* end, std::uint64_t shift = 0)
      : position_(begin), end_(end), shift_(shift) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return position_ >= end_; }
  [[nodiscard]] const std::uint8_t* position() const { return position_; }
  [[nodiscard]] const std::uint8_t* end() const { return end_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - position_); }

  template <typename T>
  T take() {
    T value{};
    if (ok_ && left() >= sizeof(T)) {
      std::memcpy(&value, position_, sizeof(T));
      position_ += sizeof(T);
    } else {
      fail();
    }
    return value;
  }

  // Moves forward, or back for a negative count.
  void skip(std::int64_t bytes, const std::uint8_t* lowest);
  void skip(std::uint64_t bytes);
  std::uint64_t take_unsigned_leb();
  std::int64_t take_signed_leb();
  // A pointer in one of the encodings; `data_base` is what "data relative" refers to. Indirect
  // pointers are refused: they occur for personality routines only, which are skipped.
  std::uint64_t take_pointer(std::uint8_t encoding, std::uint64_t data_base);

  void fail() {
    ok_ = false;
    position_ = end_;
  }

 private:
  std::uint64_t take_plain(std::uint8_t format);

  const std::uint8_t* position_;
  const std::uint8_t* end_;
  std::uint64_t shift_;
  bool ok_ = true;
};

}  // namespace seep::stack
