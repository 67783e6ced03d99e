// Reads and checks snapshot files. Input is hostile: every offset, count and index is checked
// before use, and no size in a file makes the reader allocate more than a small multiple of the
// file's own size.
#pragma once

#include <string>

#include "analyzer/model/result.h"
#include "analyzer/model/snapshot.h"

namespace seep::read {

// The whole snapshot. Errors name the file, the offset, the section and what to do.
Result<model::Snapshot> read_snapshot(const std::string& path);

}  // namespace seep::read
