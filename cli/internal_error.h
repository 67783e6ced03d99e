// The end of `seep` when `seep` itself is wrong: exit status 4 and its own backtrace on stderr.
#pragma once

namespace seep::cli {

// Catches exceptions that nobody handles, std::terminate, and fatal signals. Called once, first.
// An uncaught exception does not unwind, so the backtrace shows where it was thrown.
void report_internal_errors();

}  // namespace seep::cli
