// seep report PATH…: ranks what leaks in recordings.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "analyzer/report/accept.h"
#include "cli/analysis.h"
#include "cli/check.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

constexpr unsigned kTextRows = 20;

struct Options {
  Analysis analysis;
  Destination destination;
  CheckOptions check;
  bool json = false;
  bool all = false;
  bool gen_suppressions = false;
  std::string to;
  std::string id;
  std::uint64_t warmup_ms = 0;
  std::optional<unsigned> top;
};

Format format_of(const Options& options) {
  if (options.json || options.to == "json") {
    return Format::kJson;
  }
  if (options.to == "markdown") {
    return Format::kMarkdown;
  }
  return options.to == "text" ? Format::kText : format_of_file(options.destination.file);
}

Analysis analysis_of(const Options& options) {
  Analysis analysis = options.analysis;
  analysis.report.rank.warmup_s = static_cast<double>(options.warmup_ms) / 1000;
  if (options.top || !options.id.empty()) {
    analysis.report.top = options.top.value_or(0);
  }
  analysis.report.all_paths_of = options.id;
  return analysis;
}

report::TextOptions text_options_of(const Options& options) {
  report::TextOptions text;
  const unsigned wanted = options.top.value_or(kTextRows);
  text.rows = wanted == 0 ? std::numeric_limits<unsigned>::max() : wanted;
  text.all = options.all;
  if (!options.id.empty()) {
    text.id = options.id;
  }
  return text;
}

// Leaves only the suspect with this id; an id that is not there is an error.
std::optional<Error> keep_only(const std::string& id, model::Report& report) {
  std::erase_if(report.suspects, [&](const model::Suspect& suspect) { return suspect.id != id; });
  if (report.suspects.empty()) {
    return Error{ErrorKind::kUsage,
                 {},
                 {},
                 {},
                 "no suspect of this report has the id " + id,
                 "`seep report --all --top 0` lists them all"};
  }
  return std::nullopt;
}

int run_check(const model::Report& report, const CheckOptions& options) {
  if (!options.check) {
    return kDone;
  }
  const CheckResult result = check(report, options);
  fmt::print(stderr, "{}", to_text(result));
  return result.leaks.empty() ? kDone : options.error_exitcode;
}

int report_verb(const Options& options) {
  if (const auto error = why_not_writable(options.destination)) {
    return fail(*error);
  }
  auto progress = std::make_unique<Progress>();
  Result<model::Report> report = analyze(analysis_of(options), *progress);
  progress.reset();  // wipes its line before anything is printed
  if (!report) {
    return fail(report.error());
  }
  const int status = run_check(*report, options.check);
  if (!options.id.empty()) {
    if (const auto error = keep_only(options.id, *report)) {
      return fail(*error);
    }
  }
  const std::string text = options.gen_suppressions
                               ? report::suppressions_for(*report)
                               : print(*report, format_of(options), text_options_of(options));
  if (const auto error = write_text(options.destination, text)) {
    return fail(*error);
  }
  return status;
}

void add_selection(Arguments& arguments, Options& options) {
  add_runs(arguments, options.analysis.selection);
  arguments
      .option("--per", options.analysis.per,
              "Count the calls of FUNCTION as units of work, by the allocations under it")
      .placeholder("FUNCTION");
  add_limit(arguments, options.analysis.report.limit_bytes);
  add_unit_name(arguments, options.analysis.report.unit);
  add_duration(arguments, "--warmup", options.warmup_ms,
               "Leave snapshots before this time out of the judgement");
}

void add_rows(Arguments& arguments, Options& options) {
  arguments.option("--top", options.top, "Most rows (default 20 in text, 1000 in JSON; 0: all)")
      .placeholder("N")
      .not_negative();
  arguments.flag("--all", options.all, "Also what is no leak: caches, start-up, steady turnover");
  arguments.option("--id", options.id, "Only the suspect with this id, with all its paths")
      .placeholder("ID");
  arguments.flag("--sites", options.analysis.report.by_site,
                 "One row a site instead of one a cause");
}

}  // namespace

Action describe_report(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments
      .option("PATH", options->analysis.paths,
              "A recording, a directory of recordings (its newest run), or snapshot files")
      .required();
  add_selection(arguments, *options);
  add_rows(arguments, *options);
  Argument json = arguments.flag("--json", options->json, "Print JSON (seep.report/1)");
  arguments
      .option("--to", options->to, "Print text, markdown or json (default: by the name of -o FILE)")
      .placeholder("FORMAT")
      .one_of({"text", "markdown", "json"})
      .excludes(json);
  add_destination(arguments, options->destination, "-o,--output",
                  "Write to FILE instead of stdout");
  add_symbols(arguments, options->analysis.symbols);
  add_check(arguments, options->check);
  add_accepted(arguments, options->analysis.accepted);
  add_baseline(arguments, options->analysis.accepted);
  arguments
      .flag("--gen-suppressions", options->gen_suppressions,
            "Print what would silence each leak (for --suppressions) instead of a report")
      .excludes(json);
  return [options](const auto&) { return report_verb(*options); };
}

}  // namespace seep::cli
