#include "analyzer/report/escape.h"

#include <algorithm>

namespace seep::report {

std::string markdown_cell(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) {
      result += '\\';
    }
    result += c;
  }
  return result;
}

std::string markdown_code(std::string_view text) {
  std::string code = printable(text);
  std::replace(code.begin(), code.end(), '`', '\'');
  std::replace(code.begin(), code.end(), '|', '/');
  return "`" + code + "`";
}

}  // namespace seep::report
