#include "cli/export_suspects.h"

#include <cstdlib>
#include <filesystem>

#include "cli/accepted.h"
#include "cli/options.h"

namespace seep::cli {

void add_suspects(Arguments& arguments, SuspectsOptions& options, Analysis& analysis) {
  const std::string heading = "FORMATS OF SUSPECTS";
  arguments.option("--top", options.top, "Most suspects (default 1000, html 10000; 0: all)")
      .placeholder("N")
      .not_negative()
      .group(heading);
  arguments
      .option("--root", options.root,
              "sarif: files below this directory have names relative to it, as in the repository "
              "(default: $SRCROOT)")
      .placeholder("DIR")
      .group(heading);
  arguments
      .flag("--no-source-lines", options.without_source_lines,
            "html: leave out the lines of source files that are read on this machine")
      .group(heading);
  arguments
      .option("--per", analysis.per,
              "Count the calls of FUNCTION as units of work, by the allocations under it")
      .placeholder("FUNCTION")
      .group(heading);
  add_duration(arguments, "--warmup", options.warmup_ms,
               "Leave snapshots before this time out of the judgement")
      .group(heading);
  add_accepted(arguments, analysis.accepted);
  add_baseline(arguments, analysis.accepted);
}

std::string given_option(const SuspectsOptions& options, const Analysis& analysis) {
  return options.top                               ? "--top"
         : !options.root.empty()                   ? "--root"
         : options.without_source_lines            ? "--no-source-lines"
         : !analysis.per.empty()                   ? "--per"
         : options.warmup_ms != 0                  ? "--warmup"
         : !analysis.accepted.suppressions.empty() ? "--suppressions"
         : analysis.accepted.without_built_in      ? "--no-builtin-suppressions"
         : !analysis.accepted.baseline.empty()     ? "--baseline"
                                                   : "";
}

void apply(const SuspectsOptions& options, Analysis& analysis) {
  analysis.report.rank.warmup_s = static_cast<double>(options.warmup_ms) / 1000;
  analysis.report.top = options.top.value_or(analysis.report.top);
}

std::string root_of(const SuspectsOptions& options) {
  const char* variable = std::getenv("SRCROOT");
  const std::string root = !options.root.empty() ? options.root
                           : variable != nullptr ? variable
                                                 : "";
  if (root.empty()) {
    return {};
  }
  std::error_code error;
  std::string absolute = std::filesystem::absolute(root, error).lexically_normal().string();
  while (absolute.size() > 1 && absolute.ends_with('/')) {
    absolute.pop_back();
  }
  return absolute;
}

}  // namespace seep::cli
