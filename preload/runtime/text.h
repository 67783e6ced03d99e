// Formatting into a fixed buffer, and the few string functions that run before libc is ready.
// Context: IN-HOOK, IN-AGENT. Allocates nothing; text that does not fit is cut, never overrun.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seep::runtime {

template <std::size_t kCapacity>
class Text {
 public:
  constexpr Text() = default;

  Text& add(std::string_view text) {
    for (const char c : text) {
      add_char(c);
    }
    return *this;
  }

  Text& add_char(char c) {
    if (size_ + 1 < kCapacity) {
      data_[size_++] = c;
      data_[size_] = '\0';
    } else {
      cut_ = true;
    }
    return *this;
  }

  // Decimal, padded with zeros to at least `width` digits.
  Text& add_decimal(std::uint64_t value, unsigned width = 1) {
    char digits[20];
    unsigned count = 0;
    do {
      digits[count++] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    for (unsigned i = count; i < width; ++i) {
      add_char('0');
    }
    while (count != 0) {
      add_char(digits[--count]);
    }
    return *this;
  }

  // Lower-case hexadecimal with `width` digits.
  Text& add_hex(std::uint64_t value, unsigned width = 16) {
    for (unsigned i = width; i != 0; --i) {
      add_char("0123456789abcdef"[(value >> ((i - 1) * 4)) & 15]);
    }
    return *this;
  }

  void clear() {
    size_ = 0;
    cut_ = false;
    data_[0] = '\0';
  }

  [[nodiscard]] const char* c_str() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] std::string_view view() const { return {data_, size_}; }

 private:
  char data_[kCapacity] = {};
  std::size_t size_ = 0;
  bool cut_ = false;
};

using Path = Text<4096>;

// Length of a NUL-terminated string; 0 for null.
std::size_t length_of(const char* text);
// A view of a NUL-terminated string; empty for null.
std::string_view view_of(const char* text);
// Copies at most `capacity` - 1 bytes and terminates.
void copy_text(char* to, std::size_t capacity, std::string_view from);

// Reads an unsigned number in `base` (10 or 16) at the front of `text` and removes it from there;
// false when there is none or it does not fit 64 bits.
bool take_number(std::string_view& text, unsigned base, std::uint64_t& value);
// Removes spaces and tabs at the front.
void skip_blanks(std::string_view& text);
// The next line without its end, removed from the front of `text`; false when nothing is left.
bool take_line(std::string_view& text, std::string_view& line);
// `*` matches any run, `?` one character.
bool glob_matches(std::string_view pattern, std::string_view name);

}  // namespace seep::runtime
