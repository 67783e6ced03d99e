// seep compare PATH…: what other leak checkers say of the same program.
#include "analyzer/compare/compare.h"

#include <memory>

#include "analyzer/compare/print.h"
#include "analyzer/foreign/heaptrack.h"
#include "analyzer/foreign/sanitizer.h"
#include "analyzer/foreign/valgrind.h"
#include "cli/analysis.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/text_file.h"

namespace seep::cli {
namespace {

struct Options {
  Analysis analysis;
  std::vector<std::string> valgrind;
  std::vector<std::string> lsan;
  std::vector<std::string> heaptrack;
  bool json = false;
  bool html = false;
  bool all = false;
  Destination destination;
};

using Reader = Result<foreign::Log> (*)(std::string_view text, const std::string& file);

std::optional<Error> read_logs(const std::vector<std::string>& files, Reader reader,
                               std::vector<foreign::Log>& logs) {
  for (const std::string& file : files) {
    const Result<std::string> text =
        read_text(file, foreign::kMostBytes, "name a file that the tool wrote");
    if (!text) {
      return text.error();
    }
    Result<foreign::Log> log = reader(*text, file);
    if (!log) {
      return log.error();
    }
    logs.push_back(std::move(*log));
  }
  return std::nullopt;
}

Result<std::vector<foreign::Log>> read_logs(const Options& options) {
  if (options.valgrind.empty() && options.lsan.empty() && options.heaptrack.empty()) {
    return Error{
        ErrorKind::kUsage,
        {},
        {},
        {},
        "nothing to compare with",
        "give --valgrind, --lsan or --heaptrack FILE; scripts/compare_with.py runs the tools"};
  }
  std::vector<foreign::Log> logs;
  if (const auto error = read_logs(options.valgrind, foreign::read_valgrind, logs)) {
    return *error;
  }
  if (const auto error = read_logs(options.lsan, foreign::read_sanitizer, logs)) {
    return *error;
  }
  if (const auto error = read_logs(options.heaptrack, foreign::read_heaptrack, logs)) {
    return *error;
  }
  return logs;
}

// As an option says, else as the name of the file does.
std::string text_of(const compare::Comparison& comparison, const Options& options) {
  const std::string& file = options.destination.file;
  if (options.json || (!options.html && file.ends_with(".json"))) {
    return compare::to_json(comparison);
  }
  return options.html || file.ends_with(".html") ? compare::to_html(comparison, options.all)
                                                 : compare::to_text(comparison, options.all);
}

int compare_verb(const Options& options) {
  if (const auto error = why_not_writable(options.destination)) {
    return fail(*error);
  }
  const Result<std::vector<foreign::Log>> logs = read_logs(options);
  if (!logs) {
    return fail(logs.error());
  }
  auto progress = std::make_unique<Progress>();
  const Result<model::Report> report = analyze(options.analysis, *progress);
  progress.reset();  // wipes its line before anything is printed
  if (!report) {
    return fail(report.error());
  }
  const compare::Comparison comparison = compare::compare(*report, *logs);
  const auto error = write_text(options.destination, text_of(comparison, options));
  return error ? fail(*error) : kDone;
}

void add_log(Arguments& arguments, const std::string& name, std::vector<std::string>& files,
             const std::string& help) {
  arguments.option(name, files, help).placeholder("FILE").one_at_a_time();
}

}  // namespace

Action describe_compare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  options->analysis.report.top = 0;
  options->analysis.report.all_paths = true;
  arguments
      .option("PATH", options->analysis.paths,
              "A recording, a directory of recordings (its newest run), or snapshot files")
      .required();
  add_log(arguments, "--valgrind", options->valgrind,
          "What memcheck wrote with --leak-check=full --show-leak-kinds=all: XML (--xml=yes "
          "--xml-file=FILE) or text; may be repeated");
  add_log(arguments, "--lsan", options->lsan,
          "What LeakSanitizer or AddressSanitizer wrote; may be repeated");
  add_log(arguments, "--heaptrack", options->heaptrack,
          "What `heaptrack_print -l 1 -p 0 -a 0 -T 0` printed; may be repeated");
  arguments.flag("--all", options->all, "Also what no tool calls a leak, or only heaptrack");
  const Argument json = arguments.flag("--json", options->json, "Print JSON (seep.compare/1)");
  arguments.flag("--html", options->html, "Print a page to open in a browser").excludes(json);
  add_destination(arguments, options->destination, "-o,--output",
                  "Write to FILE instead of stdout");
  add_symbols(arguments, options->analysis.symbols);
  add_accepted(arguments, options->analysis.accepted);
  return [options](const auto&) { return compare_verb(*options); };
}

}  // namespace seep::cli
