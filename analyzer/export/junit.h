// JUnit XML, as GitLab, Jenkins and others read it: each suspect a test case, each leak a failure.
#pragma once

#include <set>
#include <string>

#include "analyzer/export/write.h"
#include "analyzer/model/report.h"

namespace seep::exporters {

// One suite. What is suppressed, and what rests on too little to fail a build, is a test that was
// skipped; `not_judged` are the ids of leaks that are so.
void write_junit(const model::Report& report, const std::set<std::string>& not_judged,
                 const Write& write);

}  // namespace seep::exporters
