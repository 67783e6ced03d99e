// Text for a terminal: what must be known first, then the suspects.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/model/figures.h"
#include "analyzer/report/escape.h"
#include "analyzer/report/lines.h"
#include "analyzer/report/print.h"

namespace seep::report {
namespace {

using model::format_bytes;
using model::format_count;

std::string memory_line(const model::Report& report) {
  const model::Totals& totals = report.totals;
  std::string line =
      "live " + live_text(totals.live_bytes, totals.live_bytes_error, totals.live_blocks);
  if (report.totals.growth_bytes_per_s) {
    line += ", " + model::format_hourly(*report.totals.growth_bytes_per_s);
  }
  const model::Accounting& at = report.accounting;
  line +=
      fmt::format("; RSS {}: allocator keeps {}, maps {}, stacks {}, files {}, seep {}, other {}",
                  format_bytes(static_cast<double>(at.rss_bytes)),
                  format_bytes(static_cast<double>(at.allocator_retained_bytes)),
                  format_bytes(static_cast<double>(at.mmap_bytes)),
                  format_bytes(static_cast<double>(at.stack_bytes)),
                  format_bytes(static_cast<double>(at.file_bytes)),
                  format_bytes(static_cast<double>(at.tracker_bytes)),
                  format_bytes(static_cast<double>(at.other_bytes)));
  return line;
}

std::string work_line(const model::Report& report) {
  if (!report.work) {
    return {};
  }
  const model::Work& work = *report.work;
  const std::string rate = work.per_s < 9.95
                               ? fmt::format("{:.2f}", work.per_s)
                               : format_count(static_cast<std::uint64_t>(work.per_s + 0.5));
  return printable(fmt::format("work: {} {}s, {} a second, {}",
                               format_count(static_cast<std::uint64_t>(work.done)), work.unit, rate,
                               work.counted_by)) +
         "\n";
}

std::string notes_lines(const model::Report& report) {
  std::string text;
  for (const std::string& note : report.notes) {
    text += fmt::format("note: {}\n", printable(note));
  }
  return text;
}

// The first line names what was lost; here is what that means.
std::string losses_lines(const model::Report& report) {
  std::string text;
  for (const format::LossName& loss : format::kLossNames) {
    const auto found = report.losses.find(loss.name);
    if (found != report.losses.end() && found->second != 0) {
      text += fmt::format("lost {}: {}\n", format_count(found->second), loss.meaning);
    }
  }
  return text;
}

std::string row(const model::Suspect& suspect) {
  const std::string held = held_text(suspect);
  return fmt::format("#{} {}\n   {}\n{}   why: {}\n", suspect.rank, suspect_text(suspect),
                     blame_text(suspect), held.empty() ? "" : "   " + held + "\n",
                     printable(suspect.why));
}

std::string scan_line(const model::Report& report) {
  const std::string text = scan_text(report);
  return text.empty() ? text : text + "\n";
}

std::string stack_lines(const model::ReportStack& stack, unsigned blame) {
  std::string text;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    text +=
        fmt::format("   {} {}{}{}\n", i == blame ? "->" : "  ", frame_text(stack[i]),
                    stack[i].inlined ? " (inlined)" : "", stack[i].heuristic ? " (guessed)" : "");
  }
  return text;
}

std::string per_unit_line(const model::Suspect& suspect) {
  if (!suspect.growth_bytes_per_unit || !suspect.growth_blocks_per_unit) {
    return {};
  }
  const std::string range =
      suspect.growth_per_unit_range
          ? fmt::format(" ({} to {})",
                        model::format_per_unit(suspect.growth_per_unit_range->low, suspect.unit),
                        model::format_per_unit(suspect.growth_per_unit_range->high, suspect.unit))
          : std::string();
  return printable(fmt::format("   {}{} in {:+.3g} blocks",
                               model::format_per_unit(*suspect.growth_bytes_per_unit, suspect.unit),
                               range, *suspect.growth_blocks_per_unit)) +
         "\n";
}

// One suspect with everything that is known of it.
std::string full_row(const model::Suspect& suspect) {
  return row(suspect) + per_unit_line(suspect) +
         fmt::format("   id {}; {} blocks allocated, {} freed; oldest alive {}\n", suspect.id,
                     format_count(suspect.allocated_blocks), format_count(suspect.freed_blocks),
                     model::format_duration(suspect.oldest_s)) +
         stack_lines(suspect.stack, suspect.blame);
}

// Leaks, and what could not be judged; with `all` the others too.
bool is_shown(const model::Suspect& suspect, const TextOptions& options) {
  return options.all || suspect.leak;
}

std::string hidden_line(const model::Report& report, std::size_t shown) {
  const std::size_t hidden = report.suspects.size() - shown + report.totals.rows_omitted;
  return hidden == 0 ? std::string()
                     : fmt::format("{} more call path{}; all: --all --top 0\n",
                                   format_count(hidden), hidden == 1 ? "" : "s");
}

std::string one_suspect(const model::Report& report, const std::string& id) {
  std::string text;
  for (const model::Suspect& suspect : report.suspects) {
    text += suspect.id == id ? full_row(suspect) : std::string();
  }
  return text.empty() ? fmt::format("no suspect has the id {}\n", printable(id)) : text;
}

std::string no_leak_line(const model::Report& report) {
  if (report.totals.leak_suspects != 0 || !report.totals.smallest_leak_seen_bytes_per_h) {
    return {};
  }
  return fmt::format("a leak of {}/h at a call path of its own would have shown{}\n",
                     format_bytes(*report.totals.smallest_leak_seen_bytes_per_h),
                     explained_share_text(report));
}

}  // namespace

std::string to_text(const model::Report& report, const TextOptions& options) {
  if (report.processes.empty()) {
    return fmt::format("seep: {}\n", report.conclusion.sentence);
  }
  std::string text =
      fmt::format("seep: {}\n{}{}", run_text(report), losses_lines(report), notes_lines(report));
  if (options.id) {
    return text + one_suspect(report, *options.id);
  }
  text += memory_line(report) + "\n" + work_line(report) + scan_line(report);
  text += fmt::format("{}: {}\n", report.conclusion.cause, report.conclusion.sentence);
  if (const std::string limit = limit_text(report); !limit.empty()) {
    text += limit + "\n";
  }
  text += fmt::format("next: {}\n", report.conclusion.action) + no_leak_line(report);
  std::size_t shown = 0;
  for (const model::Suspect& suspect : report.suspects) {
    if (shown < options.rows && is_shown(suspect, options)) {
      text += row(suspect);
      ++shown;
    }
  }
  return text + hidden_line(report, shown);
}

}  // namespace seep::report
