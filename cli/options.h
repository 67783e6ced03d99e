// Options that several verbs share, declared in one place so that they read alike.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/symbolize/symbolizer.h"
#include "cli/output.h"

namespace seep::cli {

struct CheckOptions {
  bool check = false;
  int error_exitcode = 1;
  std::uint64_t least_bytes = 0;     // a leak that holds less passes
  std::uint64_t least_per_unit = 0;  // a leak of less for each unit of work passes
};

void add_check(CLI::App& app, CheckOptions& options);
void add_destination(CLI::App& app, Destination& destination, const std::string& name,
                     const std::string& what);
// A limit whose time and units left are told.
void add_limit(CLI::App& app, std::optional<std::uint64_t>& limit_bytes);
void add_unit_name(CLI::App& app, std::string& name);
void add_symbols(CLI::App& app, symbolize::Options& options);

// An option whose value is a time; `ms` gets it in milliseconds.
CLI::Option* add_duration(CLI::App& app, const std::string& name, std::uint64_t& ms,
                          const std::string& help);

// An option whose value is a size; `bytes` gets it in bytes.
CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& bytes,
                      const std::string& help);

}  // namespace seep::cli
