// The file of a recorded module, opened through libdwfl when it is the file that was recorded.
// Addresses are ELF virtual addresses: the file is "loaded" with bias 0.
#pragma once

#include <elfutils/libdwfl.h>

#include <memory>
#include <string>

#include "analyzer/model/snapshot.h"
#include "analyzer/symbolize/debug_search.h"

namespace seep::symbolize {

class ModuleFile {
 public:
  // Never fails: what cannot be used has no handle() and says why in warning().
  // `search` must outlive the object.
  ModuleFile(const model::Module& module, const DebugSearch& search);

  // Null when there is no file, or none with the recorded build-id.
  [[nodiscard]] Dwfl_Module* handle() const { return handle_; }

  // Why a module that should have a file has none; empty otherwise, and for modules that never
  // are files (vdso, memory).
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  struct EndSession {
    void operator()(Dwfl* session) const { dwfl_end(session); }
  };

  void open(const std::string& file, const DebugSearch& search);

  std::unique_ptr<Dwfl, EndSession> session_;
  Dwfl_Module* handle_ = nullptr;
  std::string warning_;
};

}  // namespace seep::symbolize
