// The command line of `seep`: options out of the table of commands, parsing, and dispatch.
#pragma once

#include <CLI/App.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace seep::cli {

class CommandLine {
 public:
  CommandLine();

  // Parses the words after the program's name and runs the verb. Returns the exit status; help
  // goes to stdout, complaints to stderr.
  int run(const std::vector<std::string>& arguments);

  // The options as they are declared, for help and the manual.
  [[nodiscard]] const CLI::App& app() const { return app_; }

 private:
  int dispatch(const std::vector<std::string>& words);

  CLI::App app_;
  bool print_manual_ = false;
  std::map<const CLI::App*, Action> actions_;
};

}  // namespace seep::cli
