// Text from other people's files, made safe to print.
#pragma once

#include <string>
#include <string_view>

namespace seep::report {

// For a terminal: control characters (C0, DEL, C1), characters that reorder text and bytes that
// are no UTF-8 appear as \xNN; everything else stays.
std::string printable(std::string_view text);

// The same for a cell of a Markdown table, with its special characters escaped.
std::string markdown_cell(std::string_view text);

// Between backticks, whatever it holds.
std::string markdown_code(std::string_view text);

}  // namespace seep::report
