// `seep run --repeat N`: a short program several times, each with twice the work of the one before.
// docs/ci.md says what that finds.
#pragma once

#include <string>
#include <vector>

#include "cli/run_report.h"

namespace seep::cli {

inline constexpr unsigned kMostRepetitions = 12;  // 2,048 times the work

// Holds how much work a repetition shall do: 1, 2, 4, …
inline constexpr const char* kRepetitionVariable = "SEEP_REPETITION";

// The work of repetition `number` (from 0 on).
unsigned work_of(unsigned number);

// `command` with every {} replaced by that number.
std::vector<std::string> with_work(std::vector<std::string> command, unsigned work);

// The report of all repetitions, and the exit status. `runs` is not empty, and all but perhaps the
// last ended well. One that failed is reported alone.
int report_repetitions(const RunReportOptions& options, const std::vector<EndedRun>& runs);

}  // namespace seep::cli
