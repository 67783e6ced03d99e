// seep pause PID: a process records no new allocations; what it releases is still seen.
#include <fmt/format.h>

#include <memory>

#include "analyzer/model/printable.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

int pause_verb(const AskOptions& options) {
  client::Request request;
  request.kind = format::RequestKind::kPause;
  const Result<Served> served = ask(options, request);
  if (!served) {
    return fail(served.error());
  }
  if (served->file.empty()) {
    fmt::print("{} was paused already\n", model::printable(served->who));
  } else {
    fmt::print("{} is paused: {}\n", model::printable(served->who), model::printable(served->file));
  }
  return kDone;
}

}  // namespace

Action describe_pause(Arguments& arguments) {
  const auto options = std::make_shared<AskOptions>();
  add_ask(arguments, *options);
  arguments.footer(
      "Releases of what was recorded are still seen, so nothing that is freed meanwhile looks "
      "leaked.\n"
      "A snapshot is taken, and its file is printed; there are no periodic ones until `seep "
      "start`.\n"
      "The time of the pause does not count in rates.");
  return [options](const auto&) { return pause_verb(*options); };
}

}  // namespace seep::cli
