#include "analyzer/foreign/reading.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "analyzer/model/figures.h"

namespace seep::foreign {
namespace {

std::optional<std::uint64_t> number_of(const std::string& digits, int base) {
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  return digits.empty() || stop != end || error != std::errc() ? std::nullopt
                                                               : std::optional(value);
}

}  // namespace

Error error_at(const std::string& file, unsigned line, const std::string& what,
               const std::string& advice) {
  return {ErrorKind::kBadInput, file, {}, {}, fmt::format("line {}: {}", line, what), advice};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kSpaces);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::optional<std::uint64_t> number_in(std::string_view digits) {
  std::string plain;
  for (const char c : trimmed(digits)) {
    if (c != ',' || plain.empty()) {
      plain += c;
    }
  }
  return number_of(plain, 10);
}

std::optional<std::uint64_t> hex_in(std::string_view digits) {
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    digits.remove_prefix(2);
  }
  return number_of(std::string(digits), 16);
}

std::optional<unsigned> take_line_number(std::string_view& place) {
  std::optional<std::uint64_t> line;
  for (int numbers = 0; numbers < 2; ++numbers) {
    const std::size_t colon = place.rfind(':');
    const auto number = colon == std::string_view::npos || colon == 0
                            ? std::nullopt
                            : number_in(place.substr(colon + 1));
    if (!number || *number > std::numeric_limits<unsigned>::max()) {
      break;
    }
    line = number;
    place = place.substr(0, colon);
  }
  return line ? std::optional(static_cast<unsigned>(*line)) : std::nullopt;
}

std::optional<TextLine> TextLines::next() {
  before_ = rest_;
  if (rest_.empty()) {
    return std::nullopt;
  }
  const std::size_t end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return TextLine{line, ++number_};
}

void TextLines::back() {
  if (before_.size() > rest_.size()) {
    rest_ = before_;
    --number_;
  }
}

std::optional<Error> Limits::leak(const std::string& file, unsigned line) {
  return ++leaks_ <= kMostLeaks
             ? std::nullopt
             : std::optional(error_at(
                   file, line, fmt::format("more than {} leaks", model::format_count(kMostLeaks)),
                   "give a log of fewer"));
}

std::optional<Error> Limits::frame(const std::string& file, unsigned line) {
  return ++frames_ <= kMostFrames
             ? std::nullopt
             : std::optional(error_at(
                   file, line, fmt::format("more than {} frames", model::format_count(kMostFrames)),
                   "give a log of fewer"));
}

std::optional<Error> why_too_large(std::string_view text, const std::string& file) {
  unsigned line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > kMostBytes) {
      return error_at(file, line, fmt::format("more than {}", model::format_limit(kMostBytes)),
                      "give a log of fewer leaks");
    }
    if (end - begin > kMostLineBytes) {
      return error_at(file, line,
                      fmt::format("longer than {} bytes", model::format_count(kMostLineBytes)),
                      "is it the right file?");
    }
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace seep::foreign
