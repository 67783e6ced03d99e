// What the page of `seep export --to html` shows, as one document of JSON.
//
// Compact, since a recording has ten thousand sites and more: texts, frames and stacks stand in
// tables and are named by their numbers, tables are columns, and series are differences from value
// to value. analyzer/export/html/src/data.js is its reader.
#pragma once

#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/report.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::exporters {

struct PageOptions {
  std::string seep_version;
  bool source_lines = true;  // of files on this machine
  std::string sysroot;       // before their names; may be empty
};

// `report` is of these recordings. Every text is printable.
std::string page_data(const model::Report& report, const std::vector<model::Recording>& recordings,
                      symbolize::Symbolizer& symbolizer, const PageOptions& options);

}  // namespace seep::exporters
