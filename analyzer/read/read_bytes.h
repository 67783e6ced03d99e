// Parts of reading a snapshot that this folder and the fuzz target use.
#pragma once

#include <string>

#include "analyzer/model/result.h"
#include "analyzer/model/snapshot.h"
#include "analyzer/read/bytes.h"
#include "analyzer/read/sections.h"

namespace seep::read {

// As read_snapshot, from bytes in memory. Error::file and Moment::file are empty.
Result<model::Snapshot> read_bytes(Bytes file);

// Only who wrote the file and when; the rest of it is not checked.
Result<ProcessPart> read_process(const std::string& path);

}  // namespace seep::read
