// What `snapshot`, `mark`, `scan`, `start` and `pause` share: find the process, send the request,
// say what happened.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "analyzer/model/result.h"
#include "cli/arguments.h"
#include "cli/client/request.h"

namespace seep::cli {

struct AskOptions {
  pid_t pid = 0;
  std::uint64_t wait_ms = 1000;
};

// PID and --wait, whose default is what stands in `options`.
void add_ask(Arguments& arguments, AskOptions& options);

struct Served {
  std::string who;   // "process 4711 (server)"
  std::string file;  // the snapshot or scan, as a path that works from here; empty when a start or
                     // pause found the process as it was asked to be
};

// An error is one sentence: who could not be asked, or why it has not been done (yet).
Result<Served> ask(const AskOptions& options, const client::Request& request);

}  // namespace seep::cli
