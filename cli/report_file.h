// A report in a file, in the format that its name says: JSON (.json), Markdown (.md), SARIF
// (.sarif), JUnit XML (.xml), else text.
#pragma once

#include <optional>

#include "analyzer/model/report.h"
#include "cli/output.h"

namespace seep::cli {

std::optional<Error> write_report(const Destination& destination, const model::Report& report);

}  // namespace seep::cli
