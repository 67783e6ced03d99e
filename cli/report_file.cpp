#include "cli/report_file.h"

#include "analyzer/export/junit.h"
#include "analyzer/export/sarif.h"
#include "cli/analysis.h"
#include "cli/check.h"
#include "cli/export_suspects.h"

namespace seep::cli {

std::optional<Error> write_report(const Destination& destination, const model::Report& report) {
  const std::string& file = destination.file;
  if (file.ends_with(".sarif")) {
    return write_pieces(destination, [&](const Write& write) {
      exporters::write_sarif(report, {root_of({}), SEEP_VERSION}, write);
    });
  }
  if (file.ends_with(".xml")) {
    return write_pieces(destination, [&](const Write& write) {
      exporters::write_junit(report, ids_not_judged(report), write);
    });
  }
  return write_text(destination, print(report, format_of_file(file), {}));
}

}  // namespace seep::cli
