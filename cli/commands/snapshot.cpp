// seep snapshot PID [-o FILE]: a snapshot of a running process, now.
#include <fmt/format.h>

#include <memory>

#include "analyzer/model/printable.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/options.h"

namespace seep::cli {
namespace {

struct Options {
  AskOptions ask;
  Destination destination;
};

int snapshot_verb(const Options& options) {
  if (const auto error = why_not_writable(options.destination)) {
    return fail(*error);
  }
  client::Request request;
  request.kind = format::RequestKind::kSnapshot;
  const Result<Served> served = ask(options.ask, request);
  if (!served) {
    return fail(served.error());
  }
  if (options.destination.file.empty()) {
    fmt::print("{}\n", model::printable(served->file));
    return 0;
  }
  if (const auto error = copy_file(served->file, options.destination)) {
    return fail(*error);
  }
  fmt::print("{}\n", options.destination.file);
  return 0;
}

}  // namespace

Action describe_snapshot(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  add_ask(arguments, options->ask);
  add_destination(arguments, options->destination, "-o,--output", "Also copy the snapshot to FILE");
  return [options](const auto&) { return snapshot_verb(*options); };
}

}  // namespace seep::cli
