// What `seep info` says about a snapshot file, as text and as JSON.
#pragma once

#include <optional>
#include <string>

#include "analyzer/model/snapshot.h"
#include "analyzer/read/inspect.h"

namespace seep::cli {

// `content` is nothing when the file is too damaged to be read: then only its sections are told.
std::string snapshot_text(const read::FileInfo& file,
                          const std::optional<model::Snapshot>& content);

// One object, "seep.info/1"; field names as in "seep.report/1" where both have them. What a damaged
// file does not tell is null.
std::string snapshot_json(const read::FileInfo& file,
                          const std::optional<model::Snapshot>& content);

}  // namespace seep::cli
