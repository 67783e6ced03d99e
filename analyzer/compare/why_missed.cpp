#include "analyzer/compare/why_missed.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/model/figures.h"

namespace seep::compare {
namespace {

struct Reason {
  Missed missed = Missed::kOtherRun;
  std::string why;
};

const Finding* finding_of(const Leak& leak, const std::vector<Column>& columns, Tool tool) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].tool == tool) {
      return &leak.findings[i];
    }
  }
  return nullptr;
}

bool is_any(const std::optional<Amount>& amount) {
  // malloc(0) is a block, too.
  return amount && (amount->bytes != 0 || amount->blocks.value_or(0) != 0);
}

bool is_lost(const Finding& finding) {
  return is_any(finding.direct) || is_any(finding.indirect);
}

// --- What the leak is, from what seep and the others know of it

bool is_map(const Leak& leak) {
  return leak.suspect != nullptr && leak.suspect->kind != model::SiteKind::kHeap;
}

bool is_of_pool(const Leak& leak) {
  return leak.suspect != nullptr && !leak.suspect->paths.empty() &&
         leak.suspect->paths.front().of_pool;
}

bool is_unreachable(const Leak& leak) {
  return std::any_of(leak.findings.begin(), leak.findings.end(), is_lost);
}

// A tool that lists all that is alive at exit, and does not list it.
bool is_freed(const Leak& leak, const std::vector<Column>& columns) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    if (column.tool == Tool::kValgrind && column.lists_reachable && !leak.findings[i].listed) {
      return true;
    }
  }
  return false;
}

// --- One tool at a time

Reason of_seep(const Leak& leak, const model::Report& report) {
  if (leak.suspect == nullptr) {
    const bool sampled =
        std::any_of(report.processes.begin(), report.processes.end(),
                    [](const auto& one) { return one.info.mode == model::Mode::kSample; });
    return sampled ? Reason{Missed::kBelowThreshold, "no block of this call path was sampled"}
                   : Reason{Missed::kOtherRun, "no such call path in the recording"};
  }
  const model::Suspect& suspect = *leak.suspect;
  if (suspect.suppressed_by) {
    return {Missed::kSuppressed, "suppressed by " + *suspect.suppressed_by};
  }
  if (suspect.leak) {
    return {Missed::kNo, ""};
  }
  const bool only_possible =
      !is_unreachable(leak) &&
      std::any_of(leak.findings.begin(), leak.findings.end(),
                  [](const Finding& finding) { return is_any(finding.possible); });
  if (only_possible) {
    return {Missed::kReachable,
            "held by a pointer into its middle, which counts as reachable here"};
  }
  if (suspect.behaviour == model::Behaviour::kUnknown) {
    return {Missed::kUndecided, "cannot tell: " + suspect.why};
  }
  return {Missed::kNoLeak, suspect.verdict + ", no leak: " + suspect.why};
}

// Of memory that a pointer may lead to at exit.
Reason of_reachable(const Leak& leak, const std::vector<Column>& columns, bool lists_reachable) {
  if (lists_reachable || is_freed(leak, columns)) {
    return {Missed::kFreedAtExit, "freed by the end: nothing of it is alive when the tool looks"};
  }
  const Finding* valgrind = finding_of(leak, columns, Tool::kValgrind);
  const Finding* heaptrack = finding_of(leak, columns, Tool::kHeaptrack);
  if ((valgrind != nullptr && is_any(valgrind->reachable)) ||
      (heaptrack != nullptr && is_any(heaptrack->live))) {
    return {Missed::kReachable, "reachable at exit: the tool tells only what is lost"};
  }
  return {Missed::kReachable,
          "reachable at exit, or freed there: the tool tells only what is lost"};
}

Reason of_lost(const Finding& finding, const Column& column, const Leak& leak) {
  const Finding& seep = leak.findings.front();
  if (!column.lists_indirect && !is_any(seep.direct) && is_any(seep.indirect)) {
    return {Missed::kNotShown, "lost with another block, and only that one is shown"};
  }
  if (column.suppressed != 0) {
    return {Missed::kSuppressed,
            "not listed; the tool suppressed " + model::format_count(column.suppressed) +
                (column.suppressions.empty() ? "" : " by " + column.suppressions.front())};
  }
  if (column.omitted != 0) {
    return {Missed::kBelowThreshold, "not listed; the tool left out smaller ones"};
  }
  return {Missed::kOtherRun, finding.listed ? "another run of the program, in which it was not lost"
                                            : "not listed: another run, or another call path"};
}

Reason of_valgrind(const Leak& leak, const Finding& finding, const std::vector<Column>& columns,
                   const Column& column) {
  if (is_lost(finding) || is_any(finding.possible)) {
    return {Missed::kNo, ""};
  }
  if (is_any(finding.reachable)) {
    return {Missed::kStillReachable, "still reachable, which it does not count as lost"};
  }
  return is_unreachable(leak) ? of_lost(finding, column, leak)
                              : of_reachable(leak, columns, column.lists_reachable);
}

Reason of_sanitizer(const Leak& leak, const Finding& finding, const std::vector<Column>& columns,
                    const Column& column) {
  if (is_lost(finding)) {
    return {Missed::kNo, ""};
  }
  return is_unreachable(leak) ? of_lost(finding, column, leak) : of_reachable(leak, columns, false);
}

Reason of_heaptrack(const Leak& leak, const Finding& finding, const std::vector<Column>& columns,
                    const Column& column) {
  if (is_any(finding.live)) {
    return {Missed::kNo, ""};
  }
  if (is_unreachable(leak)) {
    return of_lost(finding, column, leak);
  }
  if (column.omitted != 0 && !is_freed(leak, columns)) {
    return {Missed::kBelowThreshold,
            "not listed: it may be smaller than what is, or freed at exit"};
  }
  return {Missed::kFreedAtExit, "freed by the end: nothing of it is alive when the tool looks"};
}

Reason reason_of(const Leak& leak, std::size_t i, const std::vector<Column>& columns,
                 const model::Report& report) {
  const Column& column = columns[i];
  const Finding& finding = leak.findings[i];
  if (column.tool == Tool::kSeep) {
    return of_seep(leak, report);
  }
  if (!finding.listed && is_map(leak)) {
    return {
        Missed::kNotTracked,
        fmt::format("{} does not follow {}", title_of(column.tool),
                    leak.suspect->kind == model::SiteKind::kMmap ? "mmap" : "anything but memory")};
  }
  if (!finding.listed && is_of_pool(leak)) {
    return {Missed::kNotTracked, "it does not know the program's own pool"};
  }
  switch (column.tool) {
    case Tool::kValgrind:
      return of_valgrind(leak, finding, columns, column);
    case Tool::kLeakSanitizer:
      return of_sanitizer(leak, finding, columns, column);
    case Tool::kHeaptrack:
    case Tool::kSeep:
      break;
  }
  return of_heaptrack(leak, finding, columns, column);
}

}  // namespace

void explain(Leak& leak, const std::vector<Column>& columns, const model::Report& report) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Reason reason = reason_of(leak, i, columns, report);
    leak.findings[i].missed = reason.missed;
    leak.findings[i].why = std::move(reason.why);
  }
}

}  // namespace seep::compare
