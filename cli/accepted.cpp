#include "cli/accepted.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "analyzer/suppress/built_in.h"
#include "analyzer/suppress/parse.h"
#include "cli/text_file.h"
#include "format/recording_layout.h"

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

void add_baseline(Arguments& arguments, AcceptOptions& options) {
  arguments
      .option("--baseline", options.baseline,
              "Accept leaks that this recording, or report in JSON, has too and that grow no "
              "faster now")
      .placeholder("RECORDING");
}

void add_accepted(Arguments& arguments, AcceptOptions& options) {
  arguments
      .option("--suppressions", options.suppressions,
              "Leaks to accept, in LeakSanitizer's or Valgrind's format; may be repeated")
      .placeholder("FILE")
      .one_at_a_time();
  arguments.flag("--no-builtin-suppressions", options.without_built_in,
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

std::vector<std::string> add_suppressions_of_programs(
    const std::vector<const model::Recording*>& recordings,
    std::vector<suppress::Suppression>& all) {
  std::vector<std::string> complaints;
  std::set<std::string> seen;
  for (const model::Recording* recording : recordings) {
    const std::string file = recording->path + '/' + format::kSuppressionsFileName;
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
      continue;
    }
    const Result<std::string> text = read_text(file, suppress::kMostBytes, "make it readable");
    if (text && !seen.insert(*text).second) {
      continue;
    }
    auto read = text ? suppress::parse(*text, "__lsan_default_suppressions")
                     : Result<std::vector<suppress::Suppression>>(text.error());
    if (read) {
      const auto built_in = std::find_if(
          all.begin(), all.end(), [](const auto& suppression) { return suppression.file.empty(); });
      all.insert(built_in, read->begin(), read->end());
    } else {
      complaints.push_back(read.error().message());
    }
  }
  return complaints;
}

bool need_linkage_names(const std::vector<suppress::Suppression>& suppressions) {
  return std::any_of(suppressions.begin(), suppressions.end(), [](const auto& suppression) {
    return suppression.form == suppress::Form::kValgrind;
  });
}

}  // namespace seep::cli
