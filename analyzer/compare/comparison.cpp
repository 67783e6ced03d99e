#include "analyzer/compare/comparison.h"

#include <algorithm>
#include <limits>

namespace seep::compare {

const char* name_of(Tool tool) {
  switch (tool) {
    case Tool::kSeep:
      return "seep";
    case Tool::kValgrind:
      return "valgrind";
    case Tool::kLeakSanitizer:
      return "lsan";
    case Tool::kHeaptrack:
      break;
  }
  return "heaptrack";
}

const char* title_of(Tool tool) {
  switch (tool) {
    case Tool::kSeep:
      return "seep";
    case Tool::kValgrind:
      return "Valgrind";
    case Tool::kLeakSanitizer:
      return "LeakSanitizer";
    case Tool::kHeaptrack:
      break;
  }
  return "heaptrack";
}

const char* name_of(Missed missed) {
  switch (missed) {
    case Missed::kNo:
      return "no";
    case Missed::kReachable:
      return "reachable";
    case Missed::kStillReachable:
      return "still_reachable";
    case Missed::kFreedAtExit:
      return "freed_at_exit";
    case Missed::kSuppressed:
      return "suppressed";
    case Missed::kBelowThreshold:
      return "below_threshold";
    case Missed::kNotShown:
      return "not_shown";
    case Missed::kNotTracked:
      return "not_tracked";
    case Missed::kNoLeak:
      return "no_leak";
    case Missed::kUndecided:
      return "undecided";
    case Missed::kOtherRun:
      break;
  }
  return "other_run";
}

namespace {

// Files may say any numbers.
std::uint64_t sum_of(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

}  // namespace

void Amount::add(const Amount& more) {
  bytes = sum_of(bytes, more.bytes);
  blocks = blocks && more.blocks ? std::optional(sum_of(*blocks, *more.blocks)) : std::nullopt;
}

std::optional<Amount> Finding::lost() const {
  if (!direct || !indirect) {
    return std::nullopt;
  }
  Amount sum = *direct;
  sum.add(*indirect);
  return sum;
}

bool Leak::found_by_all() const {
  return std::all_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.found(); });
}

bool Leak::is_leak(const std::vector<Column>& columns) const {
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].found() && columns[i].tool != Tool::kHeaptrack) {
      return true;
    }
  }
  return false;
}

}  // namespace seep::compare
