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
constexpr std::size_t kLines = 20;   // of the whole page
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

// Indented, or nothing.
std::string line_of(const std::string& text) {
  return text.empty() ? text : cut("   " + text) + "\n";
}

// Who holds it, or the container that grew with it where nobody knows.
std::string kept_text(const model::Report& report, const model::Suspect& suspect) {
  const std::string held = held_text(suspect);
  return !held.empty() || suspect.containers.empty()
             ? held
             : "container: " + container_text(report.containers[suspect.containers.front()]);
}

std::string row(const model::Report& report, const model::Suspect& suspect) {
  return cut(fmt::format("#{} {}", suspect.rank, suspect_text(suspect))) + "\n" +
         line_of(blame_text(suspect)) + line_of(user_frame_text(suspect)) +
         line_of(kept_text(report, suspect)) + line_of("why: " + printable(suspect.why));
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
  return text +
         fmt::format("Next: seep report {0} | seep export --to html -o r.html {0}",
                     printable(recording_path)) +
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

// At most `lines` of them, the last of which may say how many more there are.
std::string first_notes(const model::Report& report, std::size_t lines) {
  const std::size_t shown =
      report.notes.size() <= lines ? report.notes.size() : std::max<std::size_t>(lines, 1) - 1;
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    text += cut("note: " + printable(report.notes[i])) + "\n";
  }
  if (report.notes.size() > shown) {
    text += fmt::format("note: {}{}, see seep report\n", report.notes.size() - shown,
                        shown == 0 ? "" : " more");
  }
  return text;
}

// What stands above `page`: the notes that it leaves room for.
std::string with_notes(const model::Report& report, const std::string& page) {
  const auto lines = static_cast<std::size_t>(std::count(page.begin(), page.end(), '\n'));
  return first_notes(report, std::min(kNotes + 1, lines < kLines ? kLines - lines : 1)) + page;
}

}  // namespace

std::string to_run_summary(const model::Report& report, const std::string& recording_path) {
  if (report.processes.empty()) {
    return fmt::format("seep: {}\n", report.conclusion.sentence);
  }
  std::string text = "seep: " + cut(run_text(report)) + "\n";
  if (report.totals.leak_suspects == 0) {
    return with_notes(report, text + no_leak_line(report));
  }
  text += leak_line(report);
  std::size_t rows = 0;
  for (const model::Suspect& suspect : report.suspects) {
    if (suspect.leak && !suspect.suppressed_by && rows++ < kRows) {
      text += row(report, suspect);
    }
  }
  return with_notes(report, text + last_lines(report, recording_path));
}

}  // namespace seep::report
