// Loads recordings: a directory of snapshots of one process image, a SEEP_DIR that holds many, or
// snapshot files given one by one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/recording.h"
#include "analyzer/model/result.h"

namespace seep::read {

struct Selection {
  std::optional<std::string> run_id;  // 16 hex digits; unset: the newest run
  bool all_runs = false;
};

// Called with (files done, files in all) while reading; may be empty.
using Progress = std::function<void(std::size_t, std::size_t)>;

// Every recording that `paths` name. A damaged snapshot in a directory is left out and named in
// Recording::skipped; a damaged file that was given by name is an error, and so is a path that
// holds no snapshot.
Result<std::vector<model::Recording>> read_recordings(const std::vector<std::string>& paths,
                                                      const Selection& selection,
                                                      const Progress& progress = {});

}  // namespace seep::read
