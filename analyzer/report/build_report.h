// Puts a report together: ranked sites, grouped by stack and merged over workers, with names.
#pragma once

#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/rank/rank.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::report {

struct Options {
  rank::Options rank;
  unsigned top = 1000;   // suspects kept; 0: all
  bool by_site = false;  // one row a site instead of one a group
};

model::Report build_report(const std::vector<model::Recording>& recordings, const Options& options,
                           symbolize::Symbolizer& symbolizer);

}  // namespace seep::report
