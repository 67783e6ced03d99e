#include "preload/runtime/text.h"

namespace seep::runtime {
namespace {

// Value of a digit in `base`, or `base` when it is none.
unsigned digit_value(char c, unsigned base) {
  unsigned value = base;
  if (c >= '0' && c <= '9') {
    value = static_cast<unsigned>(c - '0');
  } else if (c >= 'a' && c <= 'f') {
    value = static_cast<unsigned>(c - 'a') + 10;
  } else if (c >= 'A' && c <= 'F') {
    value = static_cast<unsigned>(c - 'A') + 10;
  }
  return value < base ? value : base;
}

}  // namespace

std::size_t length_of(const char* text) {
  std::size_t length = 0;
  if (text != nullptr) {
    while (text[length] != '\0') {
      ++length;
    }
  }
  return length;
}

std::string_view view_of(const char* text) {
  return {text, length_of(text)};
}

void copy_text(char* to, std::size_t capacity, std::string_view from) {
  const std::size_t size = from.size() < capacity ? from.size() : capacity - 1;
  for (std::size_t i = 0; i < size; ++i) {
    to[i] = from[i];
  }
  to[size] = '\0';
}

bool take_number(std::string_view& text, unsigned base, std::uint64_t& value) {
  std::size_t used = 0;
  std::uint64_t number = 0;
  while (used < text.size()) {
    const unsigned digit = digit_value(text[used], base);
    if (digit == base) {
      break;
    }
    if (__builtin_mul_overflow(number, base, &number) ||
        __builtin_add_overflow(number, digit, &number)) {
      return false;
    }
    ++used;
  }
  if (used == 0) {
    return false;
  }
  text.remove_prefix(used);
  value = number;
  return true;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
}

bool take_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) {
    return false;
  }
  std::size_t end = 0;
  while (end < text.size() && text[end] != '\n') {
    ++end;
  }
  line = text.substr(0, end);
  text.remove_prefix(end < text.size() ? end + 1 : end);
  return true;
}

// Greedy matching with one point to fall back to: linear in practice, quadratic at worst.
bool glob_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace seep::runtime
