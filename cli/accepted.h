// What the user accepts, as options give it: suppression files, the built-in ones, a baseline.
#pragma once

#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/result.h"
#include "analyzer/suppress/suppression.h"
#include "cli/arguments.h"

namespace seep::cli {

struct AcceptOptions {
  std::vector<std::string> suppressions;  // files
  std::string baseline;                   // a recording or a report
  bool without_built_in = false;
  bool without_variable = false;  // SEEP_SUPPRESSIONS is left alone
};

// --baseline RECORDING.
void add_baseline(Arguments& arguments, AcceptOptions& options);

// --suppressions FILE (may be repeated) and --no-builtin-suppressions.
void add_accepted(Arguments& arguments, AcceptOptions& options);

// Reads the files of the options, then those of SEEP_SUPPRESSIONS (separated by colons), and puts
// those that are built in behind. An error names the file and the line.
Result<std::vector<suppress::Suppression>> read_suppressions(const AcceptOptions& options);

// Adds what the recorded programs gave to LeakSanitizer (__lsan_default_suppressions), each text
// once and before what is built in. Returns what is wrong with those that cannot be read, which are
// left out.
std::vector<std::string> add_suppressions_of_programs(
    const std::vector<const model::Recording*>& recordings,
    std::vector<suppress::Suppression>& all);

// Whether one of them needs mangled names (symbolize::Options::linkage_names).
bool need_linkage_names(const std::vector<suppress::Suppression>& suppressions);

}  // namespace seep::cli
