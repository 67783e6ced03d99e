// seep: the command. Everything it can do is in the table of commands (cli/command_table.cpp).
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/internal_error.h"

int main(int argc, char** argv) {
  seep::cli::report_internal_errors();
  seep::cli::CommandLine command_line;
  return command_line.run(std::vector<std::string>(argv + 1, argv + argc));
}
