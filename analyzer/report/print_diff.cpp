// What two snapshots or recordings differ by, for a terminal.
#include <fmt/format.h>

#include <cmath>

#include "analyzer/model/figures.h"
#include "analyzer/report/blame.h"
#include "analyzer/report/escape.h"
#include "analyzer/report/lines.h"
#include "analyzer/report/print.h"

namespace seep::report {
namespace {

using model::format_bytes;

std::string amount(double bytes, model::DiffBasis basis) {
  const char* sign = bytes < 0 ? "" : "+";
  switch (basis) {
    case model::DiffBasis::kLevel:
      return fmt::format("{}{}", sign, format_bytes(bytes));
    case model::DiffBasis::kPerSecond:
      return model::format_hourly(bytes);
    case model::DiffBasis::kPerUnit:
      return fmt::format("{}{:.1f} B a unit", sign, bytes);
  }
  return {};
}

const char* basis_text(model::DiffBasis basis) {
  switch (basis) {
    case model::DiffBasis::kLevel:
      return "level against level";
    case model::DiffBasis::kPerSecond:
      return "growth over time against growth over time";
    case model::DiffBasis::kPerUnit:
      return "growth for each unit of work";
  }
  return "";
}

const char* matched_text(model::MatchedBy matched_by) {
  switch (matched_by) {
    case model::MatchedBy::kId:
      return "names of functions and files";
    case model::MatchedBy::kFunction:
      return "names of functions";
    case model::MatchedBy::kOffset:
      return "modules and offsets";
  }
  return "";
}

std::string frames_of(const model::DiffRow& row) {
  const model::ReportStack stack = without_allocator(row.stack);
  const unsigned blame = blamed_frame(stack);
  if (blame >= stack.size()) {
    return "(no stack)";
  }
  std::string text = frame_text(stack[blame]);
  if (blame + 1 < stack.size()) {
    text += "  <- " + frame_text(stack[blame + 1]);
  }
  return text;
}

std::string row_text(const model::DiffRow& row, model::DiffBasis basis) {
  return fmt::format("{:>12}  {:<8}  {}{}\n", amount(row.bytes, basis), model::name_of(row.change),
                     frames_of(row),
                     row.suppressed_by ? "  suppressed by " + printable(*row.suppressed_by) : "");
}

}  // namespace

std::string to_text(const model::Diff& diff, std::size_t rows) {
  std::string text =
      fmt::format("seep: {} -> {}: {}, call paths matched by {}\n", printable(diff.old_path),
                  printable(diff.new_path), basis_text(diff.basis), matched_text(diff.matched_by));
  if (diff.rows.empty()) {
    return text + "no difference\n";
  }
  double all = 0;
  for (const model::DiffRow& row : diff.rows) {
    all += row.bytes;
  }
  text += fmt::format("{:>12}  in all, over {} call path{}\n", amount(all, diff.basis),
                      model::format_count(diff.rows.size()), diff.rows.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < diff.rows.size() && i < rows; ++i) {
    text += row_text(diff.rows[i], diff.basis);
  }
  if (diff.rows.size() > rows) {
    text += fmt::format("{} more\n", model::format_count(diff.rows.size() - rows));
  }
  return text;
}

}  // namespace seep::report
