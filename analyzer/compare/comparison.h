// One program as several leak checkers see it: the leaks, and what each tool says of each. Plain
// data; compare.h makes it, print.h prints it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/foreign/log.h"
#include "analyzer/model/report.h"

namespace seep::compare {

// Columns of the table.
enum class Tool { kSeep, kValgrind, kLeakSanitizer, kHeaptrack };
const char* name_of(Tool tool);   // "seep", "valgrind", "lsan", "heaptrack": in JSON
const char* title_of(Tool tool);  // "Valgrind"

struct Amount {
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> blocks = 0;  // null where the tool does not say

  void add(const Amount& more);
};

// Why a tool does not call something a leak that another one found.
enum class Missed {
  kNo,              // it found it
  kReachable,       // a pointer leads to it at exit, and the tool tells only what is lost
  kStillReachable,  // the same, and the tool lists it as "still reachable"
  kFreedAtExit,     // by a destructor or an atexit handler
  kSuppressed,
  kBelowThreshold,  // the tool lists only the largest
  kNotShown,        // the tool was not asked to show this kind
  kNotTracked,      // made in a way that the tool does not follow
  kNoLeak,          // seep: by how it behaves over time
  kUndecided,       // seep: too few snapshots, or too short a run, to tell how it behaves
  kOtherRun,        // nothing else explains it: the tools saw different runs of the program
};
const char* name_of(Missed missed);  // "still_reachable"

// What one tool says of one leak.
struct Finding {
  Missed missed = Missed::kOtherRun;
  std::string why;               // a clause; empty when it was found
  bool listed = false;           // the call stack stands in what the tool wrote
  std::optional<double> score;   // of the best match of stacks; null for seep
  std::optional<Amount> live;    // seep: at the end; heaptrack: not freed
  std::optional<Amount> direct;  // null: the tool does not tell
  std::optional<Amount> indirect;
  std::optional<Amount> possible;
  std::optional<Amount> reachable;

  [[nodiscard]] bool found() const { return missed == Missed::kNo; }
  // Direct and indirect together, the same in all tools; null where one is not told.
  [[nodiscard]] std::optional<Amount> lost() const;
};

struct Leak {
  const model::Suspect* suspect = nullptr;  // of the report; null where seep has no such stack
  model::ReportFrame frame;                 // to read
  model::ReportStack stack;                 // innermost first, begins behind the allocator
  std::vector<Finding> findings;            // aligned with Comparison::columns
  // Bytes and blocks that are lost; null where fewer than two tools tell.
  std::optional<bool> same_counts;

  [[nodiscard]] bool found_by_all() const;
  // Somebody calls it a leak who looks at more than what is alive at the end.
  [[nodiscard]] bool is_leak(const std::vector<struct Column>& columns) const;
};

struct Column {
  Tool tool = Tool::kSeep;
  std::vector<std::string> files;
  bool lists_indirect = true;
  bool lists_possible = true;
  bool lists_reachable = false;
  bool rounded = false;
  std::uint64_t suppressed = 0;
  std::vector<std::string> suppressions;
  std::uint64_t omitted = 0;
  unsigned found = 0;  // leaks of the table
  unsigned missed = 0;
};

struct Comparison {
  std::string program;          // and its process: "server[4711]"
  std::vector<Column> columns;  // seep first
  std::vector<Leak> leaks;      // those of is_leak() first; in the order of the report
  unsigned leak_count = 0;      // of them
  std::vector<std::string> notes;
};

}  // namespace seep::compare
