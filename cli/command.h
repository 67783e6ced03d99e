// What a verb of `seep` is: a line in the table below, and a function that says which options it
// has.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/arguments.h"

namespace seep::cli {

// Runs the verb once its options are parsed. `words` are those after `--`, for a verb that takes a
// command. Returns the exit status.
using Action = std::function<int(const std::vector<std::string>& words)>;

struct Command {
  const char* name;
  const char* summary;         // one sentence, the line of `seep --help`
  bool takes_command = false;  // words after `--` belong to the program it starts
  Action (*describe)(Arguments& arguments) = nullptr;
};

// In the order of the manual.
std::span<const Command> commands();

// Verbs of the contract that this version does not have yet.
std::span<const char* const> later_verbs();

Action describe_run(Arguments& arguments);
Action describe_report(Arguments& arguments);
Action describe_diff(Arguments& arguments);
Action describe_export(Arguments& arguments);
Action describe_compare(Arguments& arguments);
Action describe_snapshot(Arguments& arguments);
Action describe_mark(Arguments& arguments);
Action describe_start(Arguments& arguments);
Action describe_pause(Arguments& arguments);
Action describe_scan(Arguments& arguments);
Action describe_top(Arguments& arguments);
Action describe_status(Arguments& arguments);
Action describe_info(Arguments& arguments);
Action describe_verify(Arguments& arguments);
Action describe_prune(Arguments& arguments);

}  // namespace seep::cli
