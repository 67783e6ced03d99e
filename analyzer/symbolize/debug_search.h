// Where the files of a module and their debug information are looked for.
// Not thread safe. Must outlive every ModuleFile that was opened with it.
#pragma once

#include <elfutils/libdwfl.h>

#include <string>
#include <vector>

#include "analyzer/model/snapshot.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::symbolize {

class DebugSearch {
 public:
  explicit DebugSearch(const Options& options);
  DebugSearch(const DebugSearch&) = delete;
  DebugSearch& operator=(const DebugSearch&) = delete;

  // Files that may be the module's, best first: under the system root, at its path, in the
  // directories for debug files by name, and by build-id. None for a module without a path.
  [[nodiscard]] std::vector<std::string> candidates(const model::Module& module) const;

  // How libdwfl finds separate debug files: by build-id, by .gnu_debuglink, from a server.
  // The callbacks refer to this object.
  [[nodiscard]] const Dwfl_Callbacks& callbacks() const { return callbacks_; }

 private:
  std::string sysroot_;
  std::vector<std::string> given_dirs_;  // Options::debug_dirs
  std::vector<std::string> all_dirs_;    // the same, then the usual ones
  std::string path_;                     // all_dirs_ as libdwfl wants them
  char* path_pointer_ = nullptr;         // into path_
  Dwfl_Callbacks callbacks_{};
};

// The path of a module as it was on disk: without the mark that the kernel puts behind the path of
// a file that was deleted while it was mapped.
std::string path_on_disk(const std::string& recorded_path);

}  // namespace seep::symbolize
