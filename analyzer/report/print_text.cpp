// Text for a terminal: what must be known first, then the suspects.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "analyzer/model/figures.h"
#include "analyzer/report/escape.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/lines.h"
#include "analyzer/report/print.h"

namespace seep::report {
namespace {

using model::format_bytes;
using model::format_count;

constexpr std::size_t kPathsInARow = 3;
constexpr std::size_t kPointsOfSeries = 12;

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
                               : format_count(static_cast<std::uint64_t>(std::llround(work.per_s)));
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

// "server.cpp:88"; empty where it is not known.
std::string place_text(const model::ReportFrame& frame) {
  if (!frame.file) {
    return {};
  }
  const std::string line = frame.line ? fmt::format(":{}", *frame.line) : std::string();
  return printable(fmt::format(" {}{}", base_name(*frame.file), line));
}

// Who calls the blamed function on a path, and where; without parameters and folders, since three
// stand in a line.
std::string caller_of(const model::SuspectPath& path) {
  const std::size_t caller = path.blame + 1;
  if (caller >= path.stack.size()) {
    return "(outermost)";
  }
  const model::ReportFrame& frame = path.stack[caller];
  return frame.function ? printable(bare_name(frame)) + place_text(frame) : frame_text(frame);
}

// "   paths: 620 KB by handle_get http.cpp:214, 580 KB by handle_put http.cpp:260, 48 more".
std::string paths_line(const model::Suspect& suspect) {
  if (suspect.sites < 2 || suspect.paths.empty()) {
    return {};
  }
  std::string text = "   paths:";
  const std::size_t shown = std::min(suspect.paths.size(), kPathsInARow);
  for (std::size_t i = 0; i < shown; ++i) {
    const model::SuspectPath& path = suspect.paths[i];
    text += fmt::format("{} {} by {}", i == 0 ? "" : ",",
                        format_bytes(static_cast<double>(path.live_bytes)), caller_of(path));
  }
  if (suspect.sites > shown) {
    text += fmt::format(", {} more: --id {}", format_count(suspect.sites - shown), suspect.id);
  }
  return text + "\n";
}

// Indented, or nothing.
std::string line_of(const std::string& text) {
  return text.empty() ? text : "   " + text + "\n";
}

// The container that it is part of, or whose elements it may be: the largest of them.
std::string container_line(const model::Report& report, const model::Suspect& suspect) {
  if (suspect.containers.empty()) {
    return {};
  }
  const std::size_t more = suspect.containers.size() - 1;
  return fmt::format("   container: {}{}\n",
                     container_text(report.containers[suspect.containers.front()]),
                     more == 0 ? "" : fmt::format(", and {} more", more));
}

std::string row(const model::Report& report, const model::Suspect& suspect) {
  return fmt::format("#{} {}\n   {}\n{}{}{}   why: {}\n", suspect.rank, suspect_text(suspect),
                     blame_text(suspect), line_of(user_frame_text(suspect)),
                     line_of(held_text(suspect)), container_line(report, suspect),
                     printable(suspect.why));
}

// Those that still grow and stand beside none of the rows shown; the tables of a start-up are
// small.
std::string other_containers(const model::Report& report, const std::set<std::size_t>& said) {
  constexpr std::size_t kMostLines = 3;
  constexpr std::uint64_t kLeastBytes = 64 << 10;
  constexpr std::uint64_t kLeastShare = 100;  // one part of so many
  std::string text;
  std::size_t lines = 0;
  for (std::size_t i = 0; i < report.containers.size() && lines < kMostLines; ++i) {
    const model::Container& container = report.containers[i];
    if (!said.contains(i) && container.still_grows && container.block_bytes >= kLeastBytes &&
        container.block_bytes >= report.totals.live_bytes / kLeastShare) {
      text += "growing container: " + container_text(report.containers[i]) + "\n";
      ++lines;
    }
  }
  return text;
}

std::string user_lines(const model::Report& report) {
  constexpr std::size_t kMostLines = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(report.user_lines.size(), kMostLines); ++i) {
    text += user_line_text(report.user_lines[i]) + "\n";
  }
  return text;
}

std::string scan_line(const model::Report& report) {
  const std::string text = scan_text(report);
  return text.empty() ? text : text + "\n";
}

std::string stack_lines(const model::ReportStack& stack, unsigned blame,
                        const std::optional<unsigned>& own) {
  std::string text;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    text +=
        fmt::format("   {} {}{}{}{}\n", i == blame ? "->" : "  ", frame_text(stack[i]),
                    stack[i].inlined ? " (inlined)" : "", stack[i].heuristic ? " (guessed)" : "",
                    own == i && i != blame ? " (your own code)" : "");
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

std::string path_lines(const model::Suspect& suspect) {
  if (suspect.paths.size() < 2) {
    return stack_lines(suspect.stack, suspect.blame, suspect.user_frame);
  }
  std::string text;
  for (std::size_t i = 0; i < suspect.paths.size(); ++i) {
    const model::SuspectPath& path = suspect.paths[i];
    text += fmt::format("   path {} of {}: {}\n", i + 1, suspect.sites,
                        live_text(path.live_bytes, std::nullopt, path.live_blocks)) +
            stack_lines(path.stack, path.blame, path.user_frame);
  }
  return text;
}

std::string points_of(const model::Report& report, const model::Suspect& suspect,
                      const std::vector<std::size_t>& moments) {
  std::string text;
  const std::size_t points = std::min(moments.size(), kPointsOfSeries);
  for (std::size_t i = 0; i < points; ++i) {
    const std::size_t at = moments[points == 1 ? 0 : i * (moments.size() - 1) / (points - 1)];
    text += fmt::format("{} {} {}", i == 0 ? "" : ",",
                        model::format_duration(report.snapshots[at].moment.time_s),
                        format_bytes(static_cast<double>(suspect.series_bytes[at])));
  }
  return text;
}

// Live bytes at a dozen moments of each process that shows the suspect.
std::string series_lines(const model::Report& report, const model::Suspect& suspect) {
  std::string text;
  const std::size_t count = std::min(report.snapshots.size(), suspect.series_bytes.size());
  for (const model::ReportProcess& process : report.processes) {
    std::vector<std::size_t> moments;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (report.snapshots[i].process == process.id) {
        moments.push_back(i);
        most = std::max(most, suspect.series_bytes[i]);
      }
    }
    if (most != 0) {
      text += fmt::format("   live in {}:{}\n", printable(process.id),
                          points_of(report, suspect, moments));
    }
  }
  return text;
}

// One suspect with everything that is known of it.
std::string full_row(const model::Report& report, const model::Suspect& suspect) {
  return row(report, suspect) + per_unit_line(suspect) +
         fmt::format("   id {}; {} blocks allocated, {} freed; oldest alive {}\n", suspect.id,
                     format_count(suspect.allocated_blocks), format_count(suspect.freed_blocks),
                     model::format_duration(suspect.oldest_s)) +
         series_lines(report, suspect) + path_lines(suspect);
}

// Leaks, and what could not be judged; with `all` the others too.
bool is_shown(const model::Suspect& suspect, const TextOptions& options) {
  return options.all || (suspect.leak && !suspect.suppressed_by);
}

std::string hidden_line(const model::Report& report, std::size_t shown) {
  const std::size_t hidden = report.suspects.size() - shown + report.totals.rows_omitted;
  return hidden == 0 ? std::string()
                     : fmt::format("{} more; all: --all --top 0\n", format_count(hidden));
}

std::string one_suspect(const model::Report& report, const std::string& id) {
  std::string text;
  for (const model::Suspect& suspect : report.suspects) {
    text += suspect.id == id ? full_row(report, suspect) : std::string();
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
  std::set<std::size_t> containers;  // that were said
  for (const model::Suspect& suspect : report.suspects) {
    if (shown < options.rows && is_shown(suspect, options)) {
      text += row(report, suspect) + paths_line(suspect);
      containers.insert(suspect.containers.begin(), suspect.containers.end());
      ++shown;
    }
  }
  return text + user_lines(report) + other_containers(report, containers) +
         suppressions_text(report) + hidden_line(report, shown);
}

}  // namespace seep::report
