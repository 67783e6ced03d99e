// What `seep diff` says, as plain data: design §2.3, "seep.diff/1".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/report.h"

namespace seep::model {

enum class DiffBasis { kLevel, kPerSecond, kPerUnit };
enum class MatchedBy { kId, kFunction, kOffset };
enum class Change { kGrew, kShrank, kAppeared, kVanished };

// The words of the JSON.
const char* name_of(DiffBasis basis);
const char* name_of(MatchedBy matched_by);
const char* name_of(Change change);

struct DiffRow {
  std::string id;              // as Suspect::id
  std::uint64_t path_key = 0;  // of its stack by the names of functions: equal in every build
  SiteKind kind = SiteKind::kHeap;
  Change change = Change::kGrew;
  std::optional<std::string> suppressed_by;  // filled with the stack
  double bytes = 0;                          // new minus old, in the basis
  double blocks = 0;
  double old_bytes = 0;
  double new_bytes = 0;
  double variance = 0;     // of `blocks`, by chance; 0 where chance has no part in it
  bool resized = false;    // the bytes of blocks that became larger or smaller, not their number
  std::uint32_t node = 0;  // the stack, in Diff::stacks
  ReportStack stack;       // filled when symbolized
};

struct Diff {
  std::string old_path;
  std::string new_path;
  DiffBasis basis = DiffBasis::kLevel;
  MatchedBy matched_by = MatchedBy::kOffset;
  Stacks stacks;  // those of the rows
  std::vector<DiffRow> rows;
};

}  // namespace seep::model
