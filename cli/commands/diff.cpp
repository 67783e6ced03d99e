// seep diff OLD NEW: what changed between two snapshots or two recordings.
#include "analyzer/diff/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyzer/model/printable.h"
#include "analyzer/report/accept.h"
#include "analyzer/report/blame.h"
#include "analyzer/report/diff_names.h"
#include "cli/accepted.h"
#include "cli/analysis.h"
#include "cli/check.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/output.h"

namespace seep::cli {
namespace {

constexpr unsigned kTextRows = 20;
constexpr unsigned kJsonRows = 1000;

struct Options {
  std::string old_path;
  std::string new_path;
  bool json = false;
  std::uint64_t warmup_ms = 0;
  std::optional<unsigned> top;
  Destination destination;
  symbolize::Options symbols;
  CheckOptions check;
  AcceptOptions accepted;
  std::vector<suppress::Suppression> suppressions;  // read from `accepted`
};

// The one recording that `path` names; a directory with several needs a choice.
Result<model::Recording> read_one(const std::string& path, Progress& progress) {
  Result<std::vector<model::Recording>> all = read_all({path}, {}, progress);
  if (!all) {
    return all.error();
  }
  if (all->size() == 1) {
    return std::move(all->front());
  }
  std::string names;
  for (std::size_t i = 0; i < std::min<std::size_t>(all->size(), 3); ++i) {
    names += (i == 0 ? "" : ", ") + all->at(i).id;
  }
  return Error{ErrorKind::kUsage,
               path,
               {},
               {},
               fmt::format("holds {} recordings", all->size()),
               "name one of them, such as " + names};
}

void mark_suppressed(model::DiffRow& row, const Options& options) {
  const suppress::Suppression* suppression =
      report::find_suppression(options.suppressions, row.stack, suppress::kAllKinds);
  row.suppressed_by = suppression != nullptr ? std::optional(suppression->name) : std::nullopt;
}

void name_rows(model::Diff& diff, std::size_t printed, const Options& options) {
  symbolize::Symbolizer symbolizer(options.symbols);
  report::DiffNames names(diff.stacks, symbolizer);
  const bool by_function = diff.matched_by == model::MatchedBy::kFunction;
  const bool of_all = by_function || options.check.check;
  for (std::size_t i = 0; i < (of_all ? diff.rows.size() : std::min(printed, diff.rows.size()));
       ++i) {
    names.identify(diff.rows[i]);
    if (options.check.check) {
      names.name(diff.rows[i]);
      mark_suppressed(diff.rows[i], options);
      diff.rows[i].stack = {};  // of all rows they would take most of the memory
    }
  }
  if (by_function) {
    diff::merge_by_function(diff);
  }
  for (std::size_t i = 0; i < std::min(printed, diff.rows.size()); ++i) {
    names.name(diff.rows[i]);
    mark_suppressed(diff.rows[i], options);
  }
  for (const std::string& warning : symbolizer.warnings()) {
    fmt::print(stderr, "seep: {}\n", model::printable(warning));
  }
}

// 0 asks for all.
std::size_t printed_rows(const Options& options, bool json) {
  const unsigned wanted = options.top.value_or(json ? kJsonRows : kTextRows);
  return wanted == 0 ? std::numeric_limits<std::size_t>::max() : wanted;
}

bool is_growth(const model::DiffRow& row) {
  return !row.suppressed_by &&
         (row.change == model::Change::kGrew || row.change == model::Change::kAppeared);
}

// Two moments that the user chose: whatever is more at the second was not released.
int check_levels(const model::Diff& diff, const CheckOptions& options) {
  const auto grown = std::count_if(diff.rows.begin(), diff.rows.end(), is_growth);
  fmt::print(stderr, "seep: check: {} {} more than before\n", grown,
             grown == 1 ? "call path holds" : "call paths hold");
  return grown == 0 ? kDone : options.error_exitcode;
}

// Rows have the id of the innermost frame that may be to blame, whoever is in the end.
bool has_grown(const model::Suspect& leak, const std::set<std::string>& grown) {
  return std::any_of(leak.paths.begin(), leak.paths.end(), [&](const model::SuspectPath& path) {
    const unsigned innermost = report::blamed_frame(path.stack);
    return grown.contains(report::suspect_id(leak.kind, path.stack, innermost));
  });
}

// Rates of steady sites differ by chance, so a site counts when it is a leak of the new side by its
// own verdict and grows faster than before.
int check_rates(const model::Diff& diff, const model::Recording& new_side, const Options& options) {
  std::set<std::string> grown;
  for (const model::DiffRow& row : diff.rows) {
    if (is_growth(row)) {
      grown.insert(row.id);
    }
  }
  symbolize::Symbolizer symbolizer(options.symbols);
  report::Options report_options;
  report_options.suppressions = options.suppressions;
  const model::Report report = report::build_report({new_side}, report_options, symbolizer);
  CheckResult result = check(report, options.check);
  std::erase_if(result.leaks, [&](const model::Suspect* leak) { return !has_grown(*leak, grown); });
  fmt::print(stderr, "{}", to_text(result));
  return result.leaks.empty() ? kDone : options.check.error_exitcode;
}

int run_check(const model::Diff& diff, const model::Recording& new_side, const Options& options) {
  if (!options.check.check) {
    return kDone;
  }
  return diff.basis == model::DiffBasis::kLevel ? check_levels(diff, options.check)
                                                : check_rates(diff, new_side, options);
}

std::optional<Error> add_suppressions(Options& options) {
  auto suppressions = read_suppressions(options.accepted);
  if (!suppressions) {
    return suppressions.error();
  }
  options.suppressions = std::move(*suppressions);
  return std::nullopt;
}

void accept_what_programs_do(const model::Recording& old_side, const model::Recording& new_side,
                             Options& options) {
  for (const std::string& complaint :
       add_suppressions_of_programs({&old_side, &new_side}, options.suppressions)) {
    fmt::print(stderr, "{}\n", complaint);
  }
  options.symbols.linkage_names = need_linkage_names(options.suppressions);
}

int diff_verb(const Options& given) {
  if (const auto error = why_not_writable(given.destination)) {
    return fail(*error);
  }
  Options options = given;
  if (const auto error = add_suppressions(options)) {
    return fail(*error);
  }
  auto progress = std::make_unique<Progress>();
  const Result<model::Recording> old_side = read_one(options.old_path, *progress);
  if (!old_side) {
    return fail(old_side.error());
  }
  const Result<model::Recording> new_side = read_one(options.new_path, *progress);
  if (!new_side) {
    return fail(new_side.error());
  }
  accept_what_programs_do(*old_side, *new_side, options);
  progress->say("comparing and reading symbols");
  model::Diff diff =
      diff::compare(*old_side, *new_side, static_cast<double>(options.warmup_ms) / 1000);
  const bool json = options.json || options.destination.file.ends_with(".json");
  const std::size_t printed = printed_rows(options, json);
  name_rows(diff, printed, options);
  progress.reset();  // wipes its line before anything is printed
  const std::string text = json ? report::to_json(diff, printed) : report::to_text(diff, printed);
  if (const auto error = write_text(options.destination, text)) {
    return fail(*error);
  }
  return run_check(diff, *new_side, options);
}

}  // namespace

Action describe_diff(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.option("OLD", options->old_path, "A snapshot or a recording").required();
  arguments.option("NEW", options->new_path, "What it is compared with").required();
  arguments.flag("--json", options->json, "Print JSON (seep.diff/1)");
  arguments.option("--top", options->top, "Most rows (default 20 in text, 1000 in JSON; 0: all)")
      .placeholder("N")
      .not_negative();
  add_duration(arguments, "--warmup", options->warmup_ms, "Leave snapshots before this time out");
  add_destination(arguments, options->destination, "-o,--output",
                  "Write to FILE instead of stdout");
  add_symbols(arguments, options->symbols);
  add_check(arguments, options->check);
  add_accepted(arguments, options->accepted);
  return [options](const auto&) { return diff_verb(*options); };
}

}  // namespace seep::cli
