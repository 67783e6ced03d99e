#include "analyzer/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analyzer/compare/candidates.h"
#include "analyzer/compare/stack.h"
#include "analyzer/compare/why_missed.h"
#include "analyzer/report/blame.h"
#include "analyzer/report/frame_kind.h"

namespace seep::compare {
namespace {

Tool column_of(foreign::Tool tool) {
  switch (tool) {
    case foreign::Tool::kValgrind:
      return Tool::kValgrind;
    case foreign::Tool::kLeakSanitizer:
      return Tool::kLeakSanitizer;
    case foreign::Tool::kHeaptrack:
      break;
  }
  return Tool::kHeaptrack;
}

// What one log can tell, all logs of the tool can.
void add_log(std::vector<Column>& columns, const foreign::Log& log) {
  const Tool tool = column_of(log.tool);
  auto column = std::find_if(columns.begin(), columns.end(),
                             [&](const Column& one) { return one.tool == tool; });
  if (column == columns.end()) {
    columns.emplace_back();
    column = columns.end() - 1;
    column->tool = tool;
    column->lists_reachable = true;
  }
  column->files.push_back(log.file);
  column->lists_indirect = column->lists_indirect && log.lists_indirect;
  column->lists_possible = column->lists_possible && log.lists_possible;
  column->lists_reachable = column->lists_reachable && log.lists_reachable;
  column->rounded = column->rounded || log.rounded;
  column->suppressed += log.suppressed;
  column->suppressions.insert(column->suppressions.end(), log.suppressions.begin(),
                              log.suppressions.end());
  column->omitted += log.omitted;
}

void add(std::optional<Amount>& sum, const Amount& more) {
  if (sum) {
    sum->add(more);
  } else {
    sum = more;
  }
}

// Kinds that the tool would list are 0 rather than unknown.
Finding empty_finding(const Column& column) {
  Finding finding;
  if (column.tool == Tool::kHeaptrack) {
    finding.live = Amount{0, std::nullopt};
    return finding;
  }
  finding.direct = Amount{};
  if (column.lists_indirect) {
    finding.indirect = Amount{};
  }
  if (column.tool == Tool::kValgrind && column.lists_possible) {
    finding.possible = Amount{};
  }
  if (column.tool == Tool::kValgrind && column.lists_reachable) {
    finding.reachable = Amount{};
  }
  return finding;
}

std::optional<Amount>& amount_of(Finding& finding, foreign::Kind kind) {
  switch (kind) {
    case foreign::Kind::kDirect:
      return finding.direct;
    case foreign::Kind::kIndirect:
      return finding.indirect;
    case foreign::Kind::kPossible:
      return finding.possible;
    case foreign::Kind::kReachable:
      return finding.reachable;
    case foreign::Kind::kNotFreed:
      break;
  }
  return finding.live;
}

Finding finding_of_seep(const model::Suspect& suspect) {
  Finding finding;
  finding.listed = true;
  finding.live = Amount{suspect.live_bytes, suspect.live_blocks};
  if (suspect.unreachable_direct_bytes && suspect.unreachable_bytes) {
    const std::uint64_t direct = suspect.unreachable_direct_blocks.value_or(0);
    finding.direct = Amount{*suspect.unreachable_direct_bytes, direct};
    finding.indirect = Amount{*suspect.unreachable_bytes - *suspect.unreachable_direct_bytes,
                              suspect.unreachable_blocks.value_or(0) - direct};
  }
  return finding;
}

class Table {
 public:
  Table(const model::Report& report, const std::vector<foreign::Log>& logs) {
    result_.columns.emplace_back();  // seep's
    for (const foreign::Log& log : logs) {
      add_log(result_.columns, log);
    }
    for (const model::Suspect& suspect : report.suspects) {
      add_suspect(suspect);
    }
  }

  void add(const foreign::Log& log) {
    const auto column = static_cast<std::size_t>(
        std::find_if(result_.columns.begin(), result_.columns.end(),
                     [&](const Column& one) { return one.tool == column_of(log.tool); }) -
        result_.columns.begin());
    for (const foreign::Leak& leak : log.leaks) {
      add(leak, column);
    }
  }

  Comparison take() { return std::move(result_); }

 private:
  struct Match {
    std::size_t leak = 0;
    Likeness likeness;
  };

  Leak& new_leak() {
    Leak& leak = result_.leaks.emplace_back();
    for (const Column& column : result_.columns) {
      leak.findings.push_back(column.tool == Tool::kSeep ? Finding{} : empty_finding(column));
    }
    return leak;
  }

  void add_stack(Stack stack, std::size_t leak) {
    candidates_.add(stack);
    stacks_.emplace_back(std::move(stack), leak);
  }

  void add_suspect(const model::Suspect& suspect) {
    const std::size_t number = result_.leaks.size();
    Leak& leak = new_leak();
    leak.suspect = &suspect;
    leak.stack = suspect.stack;
    if (suspect.blame < suspect.stack.size()) {
      leak.frame = suspect.stack[suspect.blame];
    }
    leak.findings.front() = finding_of_seep(suspect);
    if (suspect.paths.empty()) {
      add_stack(comparable(suspect.stack), number);
    }
    for (const model::SuspectPath& path : suspect.paths) {
      add_stack(comparable(path.stack), number);
    }
  }

  std::optional<Match> best_match(const Stack& stack) const {
    std::optional<Match> best;
    for (const std::size_t number : candidates_.like(stack)) {
      const Likeness one = likeness(stacks_[number].first, stack);
      if (one.score() < kSameStack) {
        continue;
      }
      if (!best || one.score() > best->likeness.score() ||
          (one.score() == best->likeness.score() && one.matched > best->likeness.matched)) {
        best = Match{stacks_[number].second, one};
      }
      if (best->likeness.missed == 0) {
        break;  // nothing is more alike
      }
    }
    return best;
  }

  void add(const foreign::Leak& from, std::size_t column) {
    Stack stack = comparable(from.stack);
    const std::optional<Match> match = best_match(stack);
    const std::size_t number = match ? match->leak : result_.leaks.size();
    if (!match) {
      add_unknown(from, std::move(stack));
    }
    Finding& finding = result_.leaks[number].findings[column];
    finding.listed = true;
    finding.score = std::max(finding.score.value_or(0), match ? match->likeness.score() : 1);
    compare::add(amount_of(finding, from.kind), {from.bytes, from.blocks});
  }

  // A row for what seep has no call stack of.
  void add_unknown(const foreign::Leak& from, Stack stack) {
    const std::size_t number = result_.leaks.size();
    Leak& leak = new_leak();
    leak.stack = readable(from.stack);
    const unsigned blame = report::blamed_frame(leak.stack);
    if (blame < leak.stack.size()) {
      leak.frame = leak.stack[blame];
    }
    add_stack(std::move(stack), number);
  }

  Comparison result_;
  Candidates candidates_;
  std::vector<std::pair<Stack, std::size_t>> stacks_;  // with the leak that each is of
};

bool close_to(std::uint64_t a, std::uint64_t b, bool rounded) {
  const auto difference = static_cast<double>(std::max(a, b) - std::min(a, b));
  return rounded ? difference <= 0.01 * static_cast<double>(std::max(a, b)) : difference == 0;
}

// Of those that tell what is lost.
std::optional<bool> same_counts(const Leak& leak, const std::vector<Column>& columns) {
  std::optional<Amount> first;
  std::optional<bool> same;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::optional<Amount> lost = leak.findings[i].lost();
    if (!lost || lost->bytes == 0) {
      continue;
    }
    if (first) {
      same = same.value_or(true) && close_to(first->bytes, lost->bytes, columns[i].rounded) &&
             first->blocks == lost->blocks;
    } else {
      first = lost;
    }
  }
  return same;
}

std::string program_of(const model::Report& report) {
  if (report.processes.empty()) {
    return "";
  }
  const model::ProcessInfo& process = report.processes.front().info;
  return report.processes.size() == 1
             ? fmt::format("{}[{}]", report::base_name(process.exe), process.pid)
             : fmt::format("{} and {} more processes", report::base_name(process.exe),
                           report.processes.size() - 1);
}

void add_notes(Comparison& result, const model::Report& report,
               const std::vector<foreign::Log>& logs) {
  const auto is_recorded = [&](const std::string& program) {
    return report.processes.empty() ||
           std::any_of(report.processes.begin(), report.processes.end(), [&](const auto& one) {
             return one.info.exe.empty() ||
                    report::base_name(one.info.exe) == report::base_name(program);
           });
  };
  for (const foreign::Log& log : logs) {
    if (!log.lists_leaks) {
      result.notes.push_back(log.file + " lists no leaks: run Valgrind with --leak-check=full");
    }
    if (!log.program.empty() && !is_recorded(log.program)) {
      result.notes.push_back(log.file + " names the program " + log.program);
    }
  }
}

}  // namespace

Comparison compare(const model::Report& report, const std::vector<foreign::Log>& logs) {
  Table table(report, logs);
  for (const foreign::Log& log : logs) {
    table.add(log);
  }
  Comparison result = table.take();
  result.program = program_of(report);
  for (Leak& leak : result.leaks) {
    explain(leak, result.columns, report);
    leak.same_counts = same_counts(leak, result.columns);
  }
  const auto others =
      std::stable_partition(result.leaks.begin(), result.leaks.end(),
                            [&](const Leak& leak) { return leak.is_leak(result.columns); });
  result.leak_count = static_cast<unsigned>(others - result.leaks.begin());
  for (auto leak = result.leaks.begin(); leak != others; ++leak) {
    for (std::size_t i = 0; i < result.columns.size(); ++i) {
      ++(leak->findings[i].found() ? result.columns[i].found : result.columns[i].missed);
    }
  }
  add_notes(result, report, logs);
  return result;
}

}  // namespace seep::compare
