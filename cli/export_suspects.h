// The formats of `seep export` that hold suspects, and what the user chose of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/analysis.h"
#include "cli/arguments.h"

namespace seep::cli {

struct SuspectsOptions {
  std::string root;  // of the sources
  std::uint64_t warmup_ms = 0;
  std::optional<unsigned> top;
  bool without_source_lines = false;
};

void add_suspects(Arguments& arguments, SuspectsOptions& options, Analysis& analysis);

// The first option that was given, by its name; empty when none was.
std::string given_option(const SuspectsOptions& options, const Analysis& analysis);

// Has the analysis do what the options say.
void apply(const SuspectsOptions& options, Analysis& analysis);

// --root or else the variable SRCROOT, absolute and without a slash at its end; empty: neither.
std::string root_of(const SuspectsOptions& options);

}  // namespace seep::cli
