// Printers: a report or a diff as text, JSON or Markdown. Each returns the whole text.
#pragma once

#include <optional>
#include <string>

#include "analyzer/model/diff.h"
#include "analyzer/model/report.h"

namespace seep::report {

struct TextOptions {
  unsigned rows = 20;
  bool all = false;               // also what is no leak
  std::optional<std::string> id;  // only the suspect with this id, in full
};

std::string to_json(const model::Report& report);
std::string to_text(const model::Report& report, const TextOptions& options);
std::string to_markdown(const model::Report& report);
// The page `seep run` ends with: at most 3 rows and 20 lines (design §2.1).
std::string to_run_summary(const model::Report& report, const std::string& recording_path);
// At most the first `rows` rows, and how many there are beside them.
std::string to_json(const model::Diff& diff, std::size_t rows);
std::string to_text(const model::Diff& diff, std::size_t rows);

}  // namespace seep::report
