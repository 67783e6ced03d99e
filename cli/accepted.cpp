#include "cli/accepted.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "analyzer/suppress/built_in.h"
#include "analyzer/suppress/parse.h"
#include "cli/text_file.h"

namespace seep::cli {
namespace {

std::vector<std::string> files_of(const AcceptOptions& options) {
  std::vector<std::string> files = options.suppressions;
  const char* variable = options.without_variable ? nullptr : getenv("SEEP_SUPPRESSIONS");
  std::string rest = variable != nullptr ? variable : "";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    if (colon != 0) {
      files.push_back(rest.substr(0, colon));
    }
    rest.erase(0, colon == std::string::npos ? rest.size() : colon + 1);
  }
  return files;
}

}  // namespace

void add_baseline(CLI::App& app, AcceptOptions& options) {
  app.add_option("--baseline", options.baseline,
                 "Accept leaks that this recording, or report in JSON, has too and that grow no "
                 "faster now")
      ->type_name("RECORDING");
}

void add_accepted(CLI::App& app, AcceptOptions& options) {
  app.add_option("--suppressions", options.suppressions,
                 "Leaks to accept, in LeakSanitizer's or Valgrind's format; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_flag("--no-builtin-suppressions", options.without_built_in,
               "Report also what libc, the loader and interpreters lose once at start-up");
}

Result<std::vector<suppress::Suppression>> read_suppressions(const AcceptOptions& options) {
  std::vector<suppress::Suppression> all;
  for (const std::string& file : files_of(options)) {
    const Result<std::string> text = read_text(
        file, suppress::kMostBytes, "correct --suppressions or the variable SEEP_SUPPRESSIONS");
    if (!text) {
      return text.error();
    }
    Result<std::vector<suppress::Suppression>> read = suppress::parse(*text, file);
    if (!read) {
      return read.error();
    }
    std::move(read->begin(), read->end(), std::back_inserter(all));
  }
  if (!options.without_built_in) {
    all.insert(all.end(), suppress::built_in().begin(), suppress::built_in().end());
  }
  return all;
}

bool need_linkage_names(const std::vector<suppress::Suppression>& suppressions) {
  return std::any_of(suppressions.begin(), suppressions.end(), [](const auto& suppression) {
    return suppression.form == suppress::Form::kValgrind;
  });
}

}  // namespace seep::cli
