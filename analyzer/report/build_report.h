// Puts a report together: ranked sites, grouped by cause and merged over workers, with names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/rank.h"
#include "analyzer/report/baseline.h"
#include "analyzer/report/repetitions.h"
#include "analyzer/suppress/suppression.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

struct Options {
  rank::Options rank;
  unsigned top = 1000;                       // suspects kept; 0: all
  bool by_site = false;                      // one row a site instead of one a group
  std::optional<std::uint64_t> limit_bytes;  // of RSS, instead of those recorded
  std::string unit;          // what a unit of work is called; empty: as the program says
  std::string counted_by;    // who counted the units, where it was not the program (count_calls)
  std::string all_paths_of;  // the id of a suspect that is given with all its paths
  bool all_paths = false;    // the same of all suspects
  std::vector<suppress::Suppression> suppressions;  // in the order in which they are asked
  std::optional<Baseline> baseline;
  Repetitions repetitions;  // the last one consists of the recordings of the report
};

model::Report build_report(const std::vector<model::Recording>& recordings, const Options& options,
                           symbolize::Symbolizer& symbolizer);

}  // namespace seep::report
