// seep start PID: a process that was started paused, or was paused since, records from now on.
#include <fmt/format.h>

#include <memory>

#include "analyzer/model/printable.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

int start_verb(const AskOptions& options) {
  client::Request request;
  request.kind = format::RequestKind::kStart;
  const Result<Served> served = ask(options, request);
  if (!served) {
    return fail(served.error());
  }
  if (served->file.empty()) {
    fmt::print("{} was recording already\n", model::printable(served->who));
  } else {
    fmt::print("{} records from now on: {}\n", model::printable(served->who),
               model::printable(served->file));
  }
  return kDone;
}

}  // namespace

Action describe_start(Arguments& arguments) {
  const auto options = std::make_shared<AskOptions>();
  add_ask(arguments, *options);
  arguments.footer(
      "What was allocated before stays unknown: growth is counted from here. A snapshot is taken,\n"
      "and its file is printed. SEEP_START=paused has a program wait for this.");
  return [options](const auto&) { return start_verb(*options); };
}

}  // namespace seep::cli
