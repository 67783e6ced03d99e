// seep export --to FORMAT PATH…: recordings in formats that other programs read.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "analyzer/export/collapsed.h"
#include "analyzer/export/html.h"
#include "analyzer/export/junit.h"
#include "analyzer/export/openmetrics.h"
#include "analyzer/export/page_data.h"
#include "analyzer/export/pprof.h"
#include "analyzer/export/profile.h"
#include "analyzer/export/sarif.h"
#include "analyzer/export/speedscope.h"
#include "analyzer/export/valgrind_xml.h"
#include "analyzer/model/printable.h"
#include "cli/analysis.h"
#include "cli/check.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/export_stacks.h"
#include "cli/export_suspects.h"
#include "cli/options.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

struct Options {
  Analysis analysis;
  Destination destination;
  StacksOptions stacks;
  SuspectsOptions suspects;
  std::string to;
};

constexpr unsigned kRowsOfPage = 10'000;

// One of the functions writes it; the others are null.
struct ExportFormat {
  const char* name;
  void (*write_stacks)(const exporters::Profile& profile, const Options& options,
                       const Write& write);
  void (*write_suspects)(const model::Report& report, const Options& options, const Write& write);
  void (*write_page)(const Analyzed& analyzed, const Options& options,
                     const Write& write) = nullptr;
};

constexpr ExportFormat kFormats[] = {
    {"collapsed",
     [](const exporters::Profile& profile, const Options& options, const Write& write) {
       write_collapsed(profile, {options.stacks.allocated, options.stacks.old_and_new}, write);
     },
     nullptr},
    {"pprof",
     [](const exporters::Profile& profile, const Options&, const Write& write) {
       write_pprof(profile, write);
     },
     nullptr},
    {"speedscope",
     [](const exporters::Profile& profile, const Options&, const Write& write) {
       write_speedscope(profile, write);
     },
     nullptr},
    {"sarif", nullptr,
     [](const model::Report& report, const Options& options, const Write& write) {
       exporters::write_sarif(report, {root_of(options.suspects), SEEP_VERSION}, write);
     }},
    {"junit", nullptr,
     [](const model::Report& report, const Options&, const Write& write) {
       exporters::write_junit(report, ids_not_judged(report), write);
     }},
    {"openmetrics", nullptr,
     [](const model::Report& report, const Options&, const Write& write) {
       exporters::write_openmetrics(report, write);
     }},
    {"valgrind-xml", nullptr,
     [](const model::Report& report, const Options&, const Write& write) {
       exporters::write_valgrind_xml(report, write);
     }},
    {"html", nullptr, nullptr,
     [](const Analyzed& analyzed, const Options& options, const Write& write) {
       const std::string data =
           exporters::page_data(analyzed.report, analyzed.recordings, *analyzed.symbolizer,
                                {SEEP_VERSION, !options.suspects.without_source_lines,
                                 options.analysis.symbols.sysroot});
       exporters::write_html(data, write);
     }},
};

const ExportFormat& format_of(const Options& options) {
  return *std::find_if(std::begin(kFormats), std::end(kFormats),
                       [&](const ExportFormat& format) { return format.name == options.to; });
}

// The first option given that the format knows nothing of; empty where there is none.
std::string foreign_option(const Options& options) {
  if (format_of(options).write_stacks == nullptr) {
    const std::string given = given_option(options.stacks);
    return !given.empty()                                                  ? given
           : options.to != "sarif" && !options.suspects.root.empty()       ? "--root"
           : options.to != "html" && options.suspects.without_source_lines ? "--no-source-lines"
                                                                           : "";
  }
  std::string given = given_option(options.suspects, options.analysis);
  if (!given.empty() || options.to == "collapsed") {
    return given;
  }
  return options.stacks.allocated     ? "--allocated"
         : options.stacks.old_and_new ? "--old-and-new"
                                      : "";
}

// An option that the format knows nothing of, or a file that no terminal shows.
std::optional<Error> misuse(const Options& options) {
  const std::string given = foreign_option(options);
  if (!given.empty()) {
    return Error{ErrorKind::kUsage,
                 {},
                 {},
                 {},
                 fmt::format("{} is nothing to {}", given, options.to),
                 "`seep export --help` says what belongs to which format"};
  }
  if ((options.to == "pprof" || options.to == "html") && options.destination.file.empty() &&
      isatty(STDOUT_FILENO) == 1) {
    return Error{ErrorKind::kUsage,    {}, {}, {}, options.to + " is no text for a terminal",
                 "name a file with -o"};
  }
  return std::nullopt;
}

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

// Also fit for a page, which has room for more rows.
Analysis analysis_of(const Options& options) {
  Analysis analysis = options.analysis;
  apply(options.suspects, analysis);
  if (options.to == "html" && !options.suspects.top) {
    analysis.report.top = kRowsOfPage;
  }
  return analysis;
}

void print_notes(const model::Report& report) {
  for (const std::string& note : report.notes) {
    fmt::print(stderr, "seep: {}\n", model::printable(note));
  }
}

Result<model::Report> read_report(const Options& options, Progress& progress) {
  Result<model::Report> report = analyze(analysis_of(options), progress);
  if (report) {
    print_notes(*report);
  }
  return report;
}

Result<Analyzed> read_analyzed(const Options& options, Progress& progress) {
  Result<Analyzed> analyzed = analyze_whole(analysis_of(options), progress);
  if (analyzed) {
    print_notes(analyzed->report);
  }
  return analyzed;
}

// Writes what `read` gives by `write_it`, and returns the exit status.
template <typename Data, typename Read, typename WriteIt>
int run(const Options& options, Read read, WriteIt write_it) {
  auto progress = std::make_unique<Progress>();
  const Result<Data> data = read(options, *progress);
  progress.reset();  // wipes its line before anything is printed
  if (!data) {
    return fail(data.error());
  }
  const auto error = write_pieces(options.destination,
                                  [&](const Write& write) { write_it(*data, options, write); });
  return error ? fail(*error) : kDone;
}

int export_verb(const Options& options) {
  for (const auto& error : {misuse(options), why_not_writable(options.destination)}) {
    if (error) {
      return fail(*error);
    }
  }
  const ExportFormat& format = format_of(options);
  if (format.write_page != nullptr) {
    return run<Analyzed>(options, read_analyzed, format.write_page);
  }
  return format.write_stacks != nullptr
             ? run<exporters::Profile>(options, read_profile, format.write_stacks)
             : run<model::Report>(options, read_report, format.write_suspects);
}

}  // namespace

Action describe_export(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  std::vector<std::string> names;
  for (const ExportFormat& format : kFormats) {
    names.emplace_back(format.name);
  }
  arguments
      .option("PATH", options->analysis.paths,
              "A recording, a directory of recordings (its newest run), or snapshot files")
      .required();
  arguments
      .option("--to", options->to,
              "What to write: a page to look at (html), stacks (collapsed, pprof, speedscope) or "
              "suspects (sarif, junit, openmetrics, valgrind-xml)")
      .placeholder("FORMAT")
      .one_of(names)
      .required();
  add_destination(arguments, options->destination, "-o,--output",
                  "Write to FILE instead of stdout");
  add_runs(arguments, options->analysis.selection);
  add_symbols(arguments, options->analysis.symbols);
  add_stacks(arguments, options->stacks);
  add_suspects(arguments, options->suspects, options->analysis);
  return [options](const auto&) { return export_verb(*options); };
}

}  // namespace seep::cli
