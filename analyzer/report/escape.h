// Text from other people's files, made safe to print.
#pragma once

#include <string>
#include <string_view>

#include "analyzer/model/printable.h"

namespace seep::report {

using model::printable;  // for a terminal

// The same for a cell of a Markdown table, with its special characters escaped.
std::string markdown_cell(std::string_view text);

// Between backticks, whatever it holds.
std::string markdown_code(std::string_view text);

}  // namespace seep::report
