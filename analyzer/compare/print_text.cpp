// The table for a terminal: a leak, and a line for each tool.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/compare/cells.h"
#include "analyzer/compare/print.h"
#include "analyzer/model/figures.h"
#include "analyzer/model/printable.h"
#include "analyzer/report/lines.h"

namespace seep::compare {
namespace {

using model::format_count;
using model::printable;

constexpr std::size_t kMostRows = 200;

void add_finding(std::string& text, const Leak& leak, std::size_t i, const Column& column) {
  text += fmt::format("   {:<14} {:<7} {}\n", title_of(column.tool),
                      leak.findings[i].found() ? "found" : "missed", said_of(leak, i, column));
}

void add_leak(std::string& text, const Leak& leak, std::size_t number,
              const std::vector<Column>& columns) {
  text += fmt::format("#{} {}\n", number, report::frame_text(leak.frame));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    add_finding(text, leak, i, columns[i]);
  }
  if (leak.same_counts && !*leak.same_counts) {
    text += "   counts differ: each tool saw a run of its own\n";
  }
}

}  // namespace

std::string to_text(const Comparison& comparison, bool all) {
  std::string text = title_of(comparison) + "\n" + summary_of(comparison) + "\n";
  for (const std::string& note : comparison.notes) {
    text += "note: " + printable(note) + "\n";
  }
  const std::size_t rows = all ? comparison.leaks.size() : comparison.leak_count;
  for (std::size_t i = 0; i < std::min(rows, kMostRows); ++i) {
    add_leak(text, comparison.leaks[i], i + 1, comparison.columns);
  }
  if (rows > kMostRows) {
    text += fmt::format("{} more leaks, see --json\n", format_count(rows - kMostRows));
  }
  if (const std::size_t others = comparison.leaks.size() - comparison.leak_count;
      others != 0 && !all) {
    text += fmt::format("{} more that no tool calls a leak, or only heaptrack (--all)\n",
                        format_count(others));
  }
  return text;
}

}  // namespace seep::compare
