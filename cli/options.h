// Options that several verbs share, declared in one place so that they read alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/read/read_recording.h"
#include "analyzer/symbolize/symbolizer.h"
#include "cli/arguments.h"
#include "cli/output.h"

namespace seep::cli {

struct CheckOptions {
  bool check = false;
  int error_exitcode = 1;
  std::uint64_t least_bytes = 0;     // a leak that holds less passes
  std::uint64_t least_per_unit = 0;  // a leak of less for each unit of work passes
};

void add_check(Arguments& arguments, CheckOptions& options);
void add_destination(Arguments& arguments, Destination& destination, const std::string& name,
                     const std::string& what);
// A limit whose time and units left are told.
void add_limit(Arguments& arguments, std::optional<std::uint64_t>& limit_bytes);
void add_unit_name(Arguments& arguments, std::string& name);
// Which runs of a directory: --run ID, --all-runs.
void add_runs(Arguments& arguments, read::Selection& selection);
void add_symbols(Arguments& arguments, symbolize::Options& options);

// An option whose value is a time; `ms` gets it in milliseconds.
Argument add_duration(Arguments& arguments, const std::string& name, std::uint64_t& ms,
                      const std::string& help);

// An option whose value is a size; `bytes` gets it in bytes.
Argument add_size(Arguments& arguments, const std::string& name, std::uint64_t& bytes,
                  const std::string& help);

}  // namespace seep::cli
