// seep export --to FORMAT PATH…: recordings in formats that other programs read.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "analyzer/export/collapsed.h"
#include "analyzer/export/pprof.h"
#include "analyzer/export/profile.h"
#include "analyzer/export/speedscope.h"
#include "analyzer/model/printable.h"
#include "cli/analysis.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/export_stacks.h"
#include "cli/options.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

struct Options {
  Analysis analysis;
  Destination destination;
  StacksOptions stacks;
  std::string to;
};

Result<exporters::Profile> read_profile(const Options& options, Progress& progress) {
  progress.say("looking for snapshots");
  const auto recordings = read_all(options.analysis.paths, options.analysis.selection, progress);
  if (!recordings) {
    return recordings.error();
  }
  const auto spans = spans_of(*recordings, options.stacks);
  if (!spans) {
    return spans.error();
  }
  progress.say("reading symbols");
  symbolize::Symbolizer symbolizer(options.analysis.symbols);
  exporters::Profile profile = exporters::build_profile(*recordings, *spans, symbolizer);
  for (const model::Recording& recording : *recordings) {
    for (const std::string& complaint : recording.skipped) {
      fmt::print(stderr, "{}\n", complaint);
    }
  }
  for (const std::string& warning : symbolizer.warnings()) {
    fmt::print(stderr, "seep: {}\n", model::printable(warning));
  }
  return profile;
}

void write_profile(const exporters::Profile& profile, const Options& options, const Write& write) {
  if (options.to == "pprof") {
    write_pprof(profile, write);
  } else if (options.to == "speedscope") {
    write_speedscope(profile, write);
  } else {
    write_collapsed(profile, {options.stacks.allocated, options.stacks.old_and_new}, write);
  }
}

int export_verb(const Options& options) {
  if (const auto error = why_not_writable(options.destination)) {
    return fail(*error);
  }
  auto progress = std::make_unique<Progress>();
  const Result<exporters::Profile> profile = read_profile(options, *progress);
  progress.reset();  // wipes its line before anything is printed
  if (!profile) {
    return fail(profile.error());
  }
  const auto error = write_pieces(
      options.destination, [&](const Write& write) { write_profile(*profile, options, write); });
  return error ? fail(*error) : kDone;
}

}  // namespace

Action describe_export(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments
      .option("PATH", options->analysis.paths,
              "A recording, a directory of recordings (its newest run), or snapshot files")
      .required();
  arguments.option("--to", options->to, "What to write: collapsed, pprof or speedscope")
      .placeholder("FORMAT")
      .one_of({"collapsed", "pprof", "speedscope"})
      .required();
  add_destination(arguments, options->destination, "-o,--output",
                  "Write to FILE instead of stdout");
  add_runs(arguments, options->analysis.selection);
  add_stacks(arguments, options->stacks);
  add_symbols(arguments, options->analysis.symbols);
  return [options](const auto&) { return export_verb(*options); };
}

}  // namespace seep::cli
