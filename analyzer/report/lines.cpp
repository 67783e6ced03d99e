#include "analyzer/report/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzer/model/figures.h"
#include "analyzer/report/escape.h"
#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

using model::format_bytes;
using model::format_count;
using model::format_duration;

std::string end_text(const model::EndInfo& end) {
  switch (end.how) {
    case model::EndInfo::How::kRunning:
      return "still running";
    case model::EndInfo::How::kExit:
      return end.status ? fmt::format("exit {}", *end.status) : "exit";
    case model::EndInfo::How::kSignal:
      return end.signal ? fmt::format("signal {}", *end.signal) : "killed by a signal";
    case model::EndInfo::How::kExec:
      return "replaced by exec";
    case model::EndInfo::How::kLost:
      return "end not seen";
  }
  return "end not seen";
}

std::string children_text(const model::Report& report) {
  const std::size_t others = report.processes.size() - 1;
  if (others == 0) {
    return {};
  }
  return fmt::format("; {} other process{}", format_count(others), others == 1 ? "" : "es");
}

// Figures are estimates then, which must be said first.
std::string mode_text(const model::ProcessInfo& process) {
  return process.mode == model::Mode::kSample
             ? fmt::format(", sampled every {} bytes", format_count(process.sample_bytes))
             : std::string();
}

std::string_view unit_of(std::string_view amount) {
  return amount.substr(amount.find(' ') + 1);
}

// "17.7–18.5" behind "+18.1 MB/h"; with units when they differ.
std::string range_text(std::string_view growth, const model::Range& range) {
  const std::string low = format_bytes(range.low * 3600);
  const std::string high = format_bytes(range.high * 3600);
  const std::string_view unit = unit_of(high);
  if (unit_of(low) == unit && unit_of(growth).starts_with(unit)) {
    const auto number = [](const std::string& amount) {
      return amount.substr(0, amount.find(' '));
    };
    return fmt::format("{}–{}", number(low), number(high));
  }
  return fmt::format("{}–{}", low, high);
}

// Two digits, and never a certainty that no count gave.
std::string confidence_text(double confidence) {
  return fmt::format("{:.2f}", std::min(confidence, 0.99));
}

std::size_t snapshots_of(const model::Report& report, const std::string& process) {
  return static_cast<std::size_t>(
      std::count_if(report.snapshots.begin(), report.snapshots.end(),
                    [&](const auto& snapshot) { return snapshot.process == process; }));
}

// What part of the live memory it is, and what part of that is lost directly.
std::string unreachable_text(const model::Suspect& suspect) {
  const std::uint64_t bytes = suspect.unreachable_bytes.value_or(0);
  if (bytes == 0) {
    return {};
  }
  const auto text_of = [](std::uint64_t b) { return format_bytes(static_cast<double>(b)); };
  std::string text = text_of(bytes) == text_of(suspect.live_bytes)
                         ? std::string("  all unreachable")
                         : fmt::format("  {} unreachable", text_of(bytes));
  if (const auto direct = suspect.unreachable_direct_bytes; direct && *direct != bytes) {
    text += fmt::format(" ({} direct)", text_of(*direct));
  }
  return text;
}

}  // namespace

const model::ReportProcess& main_process(const model::Report& report) {
  const auto importance = [](const model::ReportProcess& process) {
    return std::pair(process.info.started_directly, process.duration_s);
  };
  return *std::max_element(
      report.processes.begin(), report.processes.end(),
      [&](const auto& a, const auto& b) { return importance(a) < importance(b); });
}

std::string frame_text(const model::ReportFrame& frame) {
  const std::string place = fmt::format("{}+0x{:x}", base_name(frame.module), frame.offset);
  if (!frame.function) {
    return printable(frame.module.empty() ? fmt::format("0x{:x}", frame.offset) : place);
  }
  if (frame.nearest_symbol) {
    return printable(fmt::format("near {} ({})", *frame.function, place));
  }
  if (!frame.file && frame.language != model::Language::kNative) {
    return printable(fmt::format("{}  ({})", *frame.function, model::name_of(frame.language)));
  }
  if (!frame.file) {
    return printable(fmt::format("{}  {}", *frame.function, base_name(frame.module)));
  }
  return printable(frame.line ? fmt::format("{}  {}:{}", *frame.function, *frame.file, *frame.line)
                              : fmt::format("{}  {}", *frame.function, *frame.file));
}

std::string blamed_text(const model::Suspect& suspect) {
  return suspect.blame < suspect.stack.size() ? frame_text(suspect.stack[suspect.blame])
                                              : "(no stack)";
}

std::string blame_text(const model::Suspect& suspect) {
  std::string text = blamed_text(suspect);
  if (suspect.blame + 1 < suspect.stack.size()) {
    text += "  <- " + frame_text(suspect.stack[suspect.blame + 1]);
  }
  return suspect.sites > 1 ? fmt::format("{}  ({} paths)", text, format_count(suspect.sites))
                           : text;
}

std::string user_frame_text(const model::Suspect& suspect) {
  const std::optional<unsigned>& own = suspect.user_frame;
  if (!own || *own == suspect.blame || *own >= suspect.stack.size()) {
    return {};
  }
  return "called from " + frame_text(suspect.stack[*own]);
}

std::string user_line_text(const model::UserLine& line) {
  constexpr std::size_t kMostRanks = 6;
  model::ReportFrame frame;
  frame.function = line.function;
  frame.file = line.file;
  frame.line = line.line;
  std::string text = fmt::format("called from {}: {} of ", frame_text(frame),
                                 live_text(line.live_bytes, std::nullopt, line.live_blocks));
  for (std::size_t i = 0; i < std::min(line.suspects.size(), kMostRanks); ++i) {
    text += fmt::format("{}#{}", i == 0 ? "" : ", ", line.suspects[i]);
  }
  const std::size_t more = line.suspects.size() - std::min(line.suspects.size(), kMostRanks);
  return more == 0 ? text : fmt::format("{} and {} more", text, format_count(more));
}

std::string container_text(const model::Container& container) {
  return fmt::format("one block of {} B after {} doublings at {}",
                     format_count(container.block_bytes), container.doublings,
                     frame_text(container.frame));
}

std::string losses_text(const model::Report& report) {
  std::string text;
  for (const auto& [name, count] : report.losses) {
    if (count != 0) {
      text += fmt::format("{}{} {}", text.empty() ? "lost: " : ", ", format_count(count), name);
    }
  }
  return text.empty() ? "nothing lost" : text;
}

std::string run_text(const model::Report& report) {
  const model::ReportProcess& process = main_process(report);
  const std::size_t snapshots = snapshots_of(report, process.id);
  return fmt::format("{}[{}] {}, {}, {} snapshot{}{}, {}{}", printable(base_name(process.info.exe)),
                     process.info.pid, format_duration(process.duration_s), end_text(process.end),
                     format_count(snapshots), snapshots == 1 ? "" : "s", mode_text(process.info),
                     losses_text(report), children_text(report));
}

std::string growth_text(const model::Suspect& suspect) {
  if (!suspect.growth_bytes_per_s || !suspect.growth_range) {
    return {};
  }
  const std::string text = model::format_hourly(*suspect.growth_bytes_per_s);
  return fmt::format("{} ({})", text, range_text(text, *suspect.growth_range));
}

std::string explained_share_text(const model::Report& report) {
  const model::Accounting& at = report.accounting;
  if (at.rss_bytes == 0) {
    return {};
  }
  const double share =
      static_cast<double>(at.tracked_live_bytes) / static_cast<double>(at.rss_bytes);
  return fmt::format("; the call paths explain {:.0f} % of the RSS of {}",
                     100 * std::min(share, 1.0), format_bytes(static_cast<double>(at.rss_bytes)));
}

std::string per_unit_text(const model::Suspect& suspect) {
  if (!suspect.growth_range || !suspect.growth_bytes_per_unit || suspect.unit.empty()) {
    return {};
  }
  return printable(model::format_per_unit(*suspect.growth_bytes_per_unit, suspect.unit));
}

std::string live_text(std::uint64_t bytes, const std::optional<double>& error,
                      std::uint64_t blocks) {
  return fmt::format("{} in {}{} block{}",
                     model::format_estimate(static_cast<double>(bytes), error),
                     error ? "about " : "", format_count(blocks), blocks == 1 ? "" : "s");
}

std::string held_text(const model::Suspect& suspect) {
  if (!suspect.held_by || suspect.held_by->empty()) {
    return {};
  }
  std::string text;
  for (const model::Holder& holder : *suspect.held_by) {
    text += (text.empty() ? "held by " : " -> ") + printable(holder.text);
  }
  // Rounded to whole percents, all of it needs no figure.
  const double percent = 100 * suspect.held_by->front().share;
  return percent >= 99.5 ? text : fmt::format("{} ({:.0f} %)", text, percent);
}

std::string scan_text(const model::Report& report) {
  if (!report.scan) {
    return {};
  }
  const char* when = report.scan->when == model::ScanTime::kExit ? "at exit" : "at the last scan";
  if (!report.totals.unreachable_bytes) {
    return fmt::format("unreachable memory is not known: {}", report.scan->why_not.value_or(""));
  }
  const std::uint64_t bytes = *report.totals.unreachable_bytes;
  const std::string text = fmt::format(
      "{} unreachable {}", bytes == 0 ? "nothing" : format_bytes(static_cast<double>(bytes)), when);
  return report.scan->why_not ? fmt::format("{} ({})", text, *report.scan->why_not) : text;
}

namespace {

// With two significant digits, as an estimate deserves: 958,112 as "960,000".
std::string about(double count) {
  double step = 1;
  while (count / step >= 100) {
    step *= 10;
  }
  return format_count(static_cast<std::uint64_t>(std::round(count / step) * step));
}

// "cgroup", "PHP's memory_limit"; with the process where it is that of one of several.
std::string of_limit(const model::Report& report, const model::Limit& limit) {
  const std::string source = limit.source == "memory_limit" ? "PHP's memory_limit" : limit.source;
  return limit.process.empty() || report.processes.size() < 2
             ? source
             : fmt::format("{} of {}", source, printable(limit.process));
}

}  // namespace

std::string limit_text(const model::Report& report) {
  constexpr double kFarAway = 10 * 365 * 86400.0;
  const std::optional<model::Limit>& limit = report.totals.limit;
  if (!limit || !limit->seconds || !limit->expected_s || *limit->expected_s > kFarAway) {
    return {};
  }
  const std::string name =
      fmt::format("{} ({})", model::format_limit(limit->bytes), of_limit(report, *limit));
  if (*limit->expected_s == 0) {
    return fmt::format("{} has been reached.", name);
  }
  std::string text = fmt::format(
      "At this rate {} is reached in {} ({})", name, format_duration(*limit->expected_s),
      model::format_duration_range(limit->seconds->low, limit->seconds->high));
  if (report.work && limit->expected_units) {
    text += fmt::format(" = {} {}s", about(*limit->expected_units), printable(report.work->unit));
  }
  return text + ".";
}

std::string suspect_text(const model::Suspect& suspect) {
  std::string text = suspect.verdict;
  if (const std::string growth = growth_text(suspect); !growth.empty()) {
    text += "  " + growth;
    if (const std::string per_unit = per_unit_text(suspect); !per_unit.empty()) {
      text += "  " + per_unit;
    }
  }
  text += "  " + live_text(suspect.live_bytes, suspect.live_bytes_error, suspect.live_blocks);
  text += unreachable_text(suspect);
  if (suspect.kind != model::SiteKind::kHeap) {
    text += fmt::format("  {}", model::name_of(suspect.kind));
  }
  if (suspect.confidence && suspect.leak) {
    text += fmt::format("  confidence {}", confidence_text(*suspect.confidence));
  }
  if (suspect.workers_of > 1) {
    text += fmt::format("  in {} of {} processes", suspect.workers_seen, suspect.workers_of);
  }
  if (suspect.suppressed_by) {
    text += "  suppressed by " + printable(*suspect.suppressed_by);
  }
  return text;
}

std::string suppressions_text(const model::Report& report) {
  std::string text;
  if (report.totals.suppressed_suspects != 0) {
    text = fmt::format("{} suppressed\n", format_count(report.totals.suppressed_suspects));
  }
  constexpr std::size_t kMostNamed = 5;
  std::size_t unused = 0;
  for (const model::SuppressionUse& use : report.suppressions) {
    if (use.suspects == 0 && unused++ < kMostNamed) {
      text += fmt::format("unused suppression: {} ({}:{})\n", printable(use.name),
                          printable(use.file), use.line);
    }
  }
  return unused <= kMostNamed ? text
                              : text + fmt::format("{} more unused suppressions, see --json\n",
                                                   format_count(unused - kMostNamed));
}

}  // namespace seep::report
