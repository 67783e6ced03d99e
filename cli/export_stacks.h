// The formats of `seep export` that hold call stacks, and what the user chose of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/export/profile.h"
#include "analyzer/model/recording.h"
#include "analyzer/model/result.h"
#include "cli/arguments.h"

namespace seep::cli {

struct StacksOptions {
  std::string at;     // a snapshot by number or mark; empty: the last
  std::string since;  // the one that is compared with it; empty: none
  bool allocated = false;
  bool old_and_new = false;
};

void add_stacks(Arguments& arguments, StacksOptions& options);

// The first option that was given, by its name; empty when none was.
std::string given_option(const StacksOptions& options);

// The moments that the options name, one entry a recording.
Result<std::vector<exporters::Span>> spans_of(const std::vector<model::Recording>& recordings,
                                              const StacksOptions& options);

}  // namespace seep::cli
