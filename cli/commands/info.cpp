// seep info FILE: what a snapshot holds.
#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>

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

int info_verb(const Options& options) {
  if (const auto error = why_not_writable(options.destination)) {
    return fail(*error);
  }
  const Result<model::Snapshot> snapshot = read::read_snapshot(options.file);
  if (!snapshot) {
    return fail(snapshot.error());
  }
  const bool json = options.json || options.destination.file.ends_with(".json");
  const auto error =
      write_text(options.destination, json ? snapshot_json(*snapshot) : snapshot_text(*snapshot));
  return error ? fail(*error) : kDone;
}

}  // namespace

Action describe_info(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->file, "A snapshot")->required();
  app.add_flag("--json", options->json, "Print JSON (seep.info/1)");
  add_destination(app, options->destination, "-o,--output", "Write to FILE instead of stdout");
  return [options](const auto&) { return info_verb(*options); };
}

}  // namespace seep::cli
