// Runs a program to its end and keeps what it said.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace seep::test {

struct ProgramEnd {
  int status = -1;  // 128 + n after signal n, as a shell counts
  std::string out;
  std::string err;
};

struct ProgramOptions {
  std::string directory;                             // to run in; empty: the current one
  std::map<std::string, std::string> environment{};  // added to this process's
};

ProgramEnd run_program(const std::vector<std::string>& command, const ProgramOptions& options = {});

// `seep` with these words after its name.
ProgramEnd run_seep(const std::vector<std::string>& words, const ProgramOptions& options = {});

// How many lines a text has.
std::size_t count_lines(const std::string& text);

}  // namespace seep::test
