// What a verb of `seep` is: a line in the table below, and a function that says which options it
// has.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace seep::cli {

// Runs the verb once its options are parsed. `words` are those after `--`, for a verb that takes a
// command. Returns the exit status.
using Action = std::function<int(const std::vector<std::string>& words)>;

struct Command {
  const char* name;
  const char* summary;         // one sentence, the line of `seep --help`
  bool takes_command = false;  // words after `--` belong to the program it starts
  Action (*describe)(CLI::App& app) = nullptr;
};

// In the order of the manual.
std::span<const Command> commands();

// Verbs of the contract that this version does not have yet.
std::span<const char* const> later_verbs();

Action describe_run(CLI::App& app);
Action describe_report(CLI::App& app);
Action describe_diff(CLI::App& app);
Action describe_snapshot(CLI::App& app);
Action describe_mark(CLI::App& app);
Action describe_start(CLI::App& app);
Action describe_pause(CLI::App& app);
Action describe_scan(CLI::App& app);
Action describe_status(CLI::App& app);
Action describe_info(CLI::App& app);
Action describe_verify(CLI::App& app);
Action describe_prune(CLI::App& app);

}  // namespace seep::cli
