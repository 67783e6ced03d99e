// What the readers share: lines with their numbers, numbers, errors that say where, and the limits
// of log.h. Not thread safe; the text must outlive the objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analyzer/foreign/log.h"
#include "analyzer/model/result.h"

namespace seep::foreign {

// "FILE: line 17: WHAT: ADVICE".
Error error_at(const std::string& file, unsigned line, const std::string& what,
               const std::string& advice = "write it again, and copy it whole");

std::string_view trimmed(std::string_view text);

// Also "7,984"; unset where it is no number, or one beyond 64 bits.
std::optional<std::uint64_t> number_in(std::string_view digits);
// "0x1f", or the digits alone.
std::optional<std::uint64_t> hex_in(std::string_view digits);

// A line number at the end, ":17" or ":17:3" with a column, is taken off and returned.
std::optional<unsigned> take_line_number(std::string_view& place);

struct TextLine {
  std::string_view text;
  unsigned number = 0;  // from 1 on
};

class TextLines {
 public:
  TextLines(std::string_view text, std::string file) : rest_(text), file_(std::move(file)) {}

  // Unset at the end.
  std::optional<TextLine> next();
  // The one that next() gave is given once more.
  void back();
  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string_view rest_;
  std::string_view before_;  // rest_ as it was before the last next()
  std::string file_;
  unsigned number_ = 0;
};

// Counts leaks and frames while a file is read; says what is too much.
class Limits {
 public:
  std::optional<Error> leak(const std::string& file, unsigned line);
  std::optional<Error> frame(const std::string& file, unsigned line);

 private:
  std::size_t leaks_ = 0;
  std::size_t frames_ = 0;
};

// A file or a line that is too long for any of these tools.
std::optional<Error> why_too_large(std::string_view text, const std::string& file);

}  // namespace seep::foreign
