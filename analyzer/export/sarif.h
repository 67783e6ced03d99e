// SARIF 2.1.0: each leak as a result, for reviews of code (GitHub, GitLab, editors).
#pragma once

#include <string>

#include "analyzer/export/write.h"
#include "analyzer/model/report.h"

namespace seep::exporters {

struct SarifOptions {
  std::string root;     // absolute; files below it have a URI relative to SRCROOT; empty: none
  std::string version;  // of seep
};

// Leaks that are suppressed are results with a suppression.
void write_sarif(const model::Report& report, const SarifOptions& options, const Write& write);

// The URI of a file: percent-encoded, `file://` in front of an absolute path.
std::string uri_of(const std::string& path);

}  // namespace seep::exporters
