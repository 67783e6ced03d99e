// Markdown for a pull request or an issue.
#include <fmt/format.h>

#include "analyzer/model/figures.h"
#include "analyzer/report/escape.h"
#include "analyzer/report/lines.h"
#include "analyzer/report/print.h"

namespace seep::report {
namespace {

// A table longer than this is not read in a review.
constexpr std::size_t kRows = 20;
constexpr std::size_t kStacks = 3;

std::string table_row(const model::Suspect& suspect) {
  const std::string per_unit = per_unit_text(suspect);
  const std::string growth =
      growth_text(suspect) + (per_unit.empty() ? "" : " " + markdown_cell(per_unit));
  const std::string frame = suspect.blame < suspect.stack.size()
                                ? frame_text(suspect.stack[suspect.blame])
                                : std::string("(no stack)");
  return fmt::format(
      "| {} | {} | {} | {} | {} | {} | {} |\n", suspect.rank, suspect.verdict, growth,
      model::format_estimate(static_cast<double>(suspect.live_bytes), suspect.live_bytes_error),
      model::format_count(suspect.live_blocks), markdown_code(frame), markdown_cell(suspect.why));
}

std::string stack_of(const model::Suspect& suspect) {
  std::string text = fmt::format("\n**#{}** id {}\n\n", suspect.rank, suspect.id);
  if (const std::string held = held_text(suspect); !held.empty()) {
    text += markdown_cell(held) + "\n\n";
  }
  for (std::size_t i = 0; i < suspect.stack.size(); ++i) {
    text += fmt::format("{}. {}{}\n", i + 1, markdown_code(frame_text(suspect.stack[i])),
                        i == suspect.blame        ? " **read this**"
                        : i == suspect.user_frame ? " **your own code**"
                                                  : "");
  }
  return text;
}

}  // namespace

std::string to_markdown(const model::Report& report) {
  if (report.processes.empty()) {
    return fmt::format("{}\n", markdown_cell(report.conclusion.sentence));
  }
  std::string text = fmt::format("### seep: {}\n\n", markdown_cell(run_text(report)));
  for (const std::string& note : report.notes) {
    text += fmt::format("> {}\n\n", markdown_cell(note));
  }
  text += fmt::format("**{}**: {}. Next: {}\n", report.conclusion.cause,
                      markdown_cell(report.conclusion.sentence),
                      markdown_cell(report.conclusion.action));
  if (const std::string scan = scan_text(report); !scan.empty()) {
    text += fmt::format("\n{}\n", markdown_cell(scan));
  }
  if (report.suspects.empty()) {
    return text;
  }
  text += "\n| # | verdict | growth | live | blocks | read this | why |\n";
  text += "|--:|---|--:|--:|--:|---|---|\n";
  for (std::size_t i = 0; i < std::min(report.suspects.size(), kRows); ++i) {
    text += table_row(report.suspects[i]);
  }
  for (std::size_t i = 0; i < std::min(report.suspects.size(), kStacks); ++i) {
    const bool wanted = report.suspects[i].leak && !report.suspects[i].suppressed_by;
    text += wanted ? stack_of(report.suspects[i]) : std::string();
  }
  return text;
}

}  // namespace seep::report
