// Valgrind's XML, protocol 4, as memcheck writes it: for IDEs and CI plug-ins that read that.
#pragma once

#include "analyzer/export/write.h"
#include "analyzer/model/report.h"

namespace seep::exporters {

// Each leak that nothing suppresses as a loss record: what nothing points to is definitely, else
// indirectly lost; what grows and is held is still reachable, with the growth beside it.
void write_valgrind_xml(const model::Report& report, const Write& write);

}  // namespace seep::exporters
