// OpenMetrics text, which Prometheus's text format can read too (node_exporter's textfiles).
#pragma once

#include "analyzer/export/write.h"
#include "analyzer/model/report.h"

namespace seep::exporters {

// Totals, accounting and suspects as gauges, losses as counters. What is not known has no line.
void write_openmetrics(const model::Report& report, const Write& write);

}  // namespace seep::exporters
