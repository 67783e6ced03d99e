// What `seep info` says about a snapshot, as text and as JSON.
#pragma once

#include <string>

#include "analyzer/model/snapshot.h"

namespace seep::cli {

std::string snapshot_text(const model::Snapshot& snapshot);

// One object, "seep.info/1"; field names as in "seep.report/1" where both have them.
std::string snapshot_json(const model::Snapshot& snapshot);

}  // namespace seep::cli
