// Lays what other tools wrote beside a report. Pure, thread safe.
#pragma once

#include <vector>

#include "analyzer/compare/comparison.h"
#include "analyzer/foreign/log.h"
#include "analyzer/model/report.h"

namespace seep::compare {

// `report` is one with all rows and all paths, and must outlive the result. Logs of one tool, such
// as those of several processes, are one column.
Comparison compare(const model::Report& report, const std::vector<foreign::Log>& logs);

}  // namespace seep::compare
