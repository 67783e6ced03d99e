// The page that `seep run` ends with (design §2.1).
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/model/figures.h"
#include "analyzer/report/conclude.h"
#include "analyzer/report/escape.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/lines.h"
#include "analyzer/report/print.h"
#include "analyzer/suppress/parse.h"

namespace seep::report {
namespace {

using model::format_bytes;

constexpr std::size_t kRows = 3;
constexpr std::size_t kNotes = 3;
constexpr std::size_t kWidth = 200;  // of one line; a frame of a deep template would fill a screen

std::string cut(const std::string& line) {
  if (line.size() <= kWidth) {
    return line;
  }
  std::size_t end = kWidth - 3;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80) {
    --end;  // not within a character
  }
  return line.substr(0, end) + "...";
}

std::string leak_line(const model::Report& report) {
  if (!report.repetitions.empty()) {
    return report.conclusion.sentence + "\n";
  }
  const Explained explained = explained_by_leaks(report);
  const std::string scan = scan_text(report);
  if (!explained.leaks_grow) {
    return fmt::format("RSS {}; {}.\n",
                       format_bytes(static_cast<double>(report.accounting.rss_bytes)), scan);
  }
  const std::string limit = limit_text(report);
  return fmt::format("RSS {}{}{}: {}{}{}.{}{}\n",
                     format_bytes(static_cast<double>(report.accounting.rss_bytes)),
                     explained.is_rss ? ", " : "; live memory ",
                     model::format_hourly(explained.growth_bytes_per_s), explained.text,
                     scan.empty() ? "" : "; ", scan, limit.empty() ? "" : " ", limit);
}

std::string row(const model::Suspect& suspect) {
  const std::string held = held_text(suspect);
  return cut(fmt::format("#{} {}", suspect.rank, suspect_text(suspect))) + "\n" +
         cut("   " + blame_text(suspect)) + "\n" + (held.empty() ? "" : cut("   " + held) + "\n") +
         cut("   why: " + printable(suspect.why)) + "\n";
}

std::string suppression_of(const model::Suspect& suspect) {
  if (suspect.blame >= suspect.stack.size() || !suspect.stack[suspect.blame].function) {
    return {};
  }
  return " | suppress: " + printable(suppress::line_for(bare_name(suspect.stack[suspect.blame])));
}

std::string last_lines(const model::Report& report, const std::string& recording_path) {
  const std::size_t innocent = report.suspects.size() + report.totals.rows_omitted -
                               report.totals.leak_suspects - report.totals.suppressed_suspects;
  std::string text;
  if (report.totals.leak_suspects > kRows) {
    text += fmt::format("{} more leaks. ", report.totals.leak_suspects - kRows);
  }
  if (innocent != 0) {
    text += fmt::format("{} other{} no leak{} (--all). ", model::format_count(innocent),
                        innocent == 1 ? " is" : "s are", innocent == 1 ? "" : "s");
  }
  if (report.totals.suppressed_suspects != 0) {
    text += fmt::format("{} suppressed. ", report.totals.suppressed_suspects);
  }
  return text + fmt::format("Next: seep report {}", printable(recording_path)) +
         suppression_of(report.suspects.front()) + "\n";
}

std::string scan_clause(const model::Report& report) {
  const std::string text = scan_text(report);
  return text.empty() ? text : "; " + text;
}

std::string no_leak_line(const model::Report& report) {
  if (!report.repetitions.empty()) {
    return fmt::format("no leak: {}\n", report.conclusion.sentence);
  }
  if (const auto& smallest = report.totals.smallest_leak_seen_bytes_per_h) {
    const std::string growth = report.conclusion.cause == "none"
                                   ? std::string("no leak")
                                   : "no leak, but " + report.conclusion.sentence;
    return fmt::format("{}: one of {}/h would have shown{}{}\n", growth, format_bytes(*smallest),
                       scan_clause(report), explained_share_text(report));
  }
  return fmt::format("not judged: {}{}{}\n", report.conclusion.sentence, scan_clause(report),
                     explained_share_text(report));
}

std::string first_notes(const model::Report& report) {
  std::string text;
  for (std::size_t i = 0; i < std::min(report.notes.size(), kNotes); ++i) {
    text += cut("note: " + printable(report.notes[i])) + "\n";
  }
  if (report.notes.size() > kNotes) {
    text += fmt::format("note: {} more, see seep report\n", report.notes.size() - kNotes);
  }
  return text;
}

}  // namespace

std::string to_run_summary(const model::Report& report, const std::string& recording_path) {
  if (report.processes.empty()) {
    return fmt::format("seep: {}\n", report.conclusion.sentence);
  }
  std::string text = first_notes(report) + "seep: " + cut(run_text(report)) + "\n";
  if (report.totals.leak_suspects == 0) {
    return text + no_leak_line(report);
  }
  text += leak_line(report);
  std::size_t rows = 0;
  for (const model::Suspect& suspect : report.suspects) {
    if (suspect.leak && !suspect.suppressed_by && rows++ < kRows) {
      text += row(suspect);
    }
  }
  return text + last_lines(report, recording_path);
}

}  // namespace seep::report
