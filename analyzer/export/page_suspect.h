// The figures of one suspect for the page. They are written without a tree of values in between,
// which was a tenth of the work of an export.
#pragma once

#include <string>

#include "analyzer/model/report.h"

namespace seep::exporters {

// Adds the fields of an object of JSON that has just been begun; all but what refers to the tables.
void append_figures(std::string& text, const model::Suspect& suspect);

}  // namespace seep::exporters
