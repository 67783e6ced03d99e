// seep info FILE: what a snapshot holds.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "analyzer/read/inspect.h"
#include "analyzer/read/read_snapshot.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/snapshot_text.h"

namespace seep::cli {
namespace {

struct Options {
  std::string file;
  bool json = false;
  Destination destination;
};

// Of a damaged file, what can still be told: its sections; the rest is said on stderr.
int info_verb(const Options& options) {
  if (const auto error = why_not_writable(options.destination)) {
    return fail(*error);
  }
  const Result<read::FileInfo> file = read::inspect(options.file);
  if (!file) {
    return fail(file.error());
  }
  for (const Error& problem : file->problems) {
    fail(problem);
  }
  std::optional<model::Snapshot> content;
  if (Result<model::Snapshot> snapshot = read::read_snapshot(options.file)) {
    content = std::move(*snapshot);
  }
  const bool json = options.json || options.destination.file.ends_with(".json");
  const std::string text = json ? snapshot_json(*file, content) : snapshot_text(*file, content);
  if (const auto error = write_text(options.destination, text)) {
    return fail(*error);
  }
  return file->intact() ? kDone : kBadInput;
}

}  // namespace

Action describe_info(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.option("FILE", options->file, "A snapshot").required();
  arguments.flag("--json", options->json, "Print JSON (seep.info/1)");
  add_destination(arguments, options->destination, "-o,--output",
                  "Write to FILE instead of stdout");
  return [options](const auto&) { return info_verb(*options); };
}

}  // namespace seep::cli
