// Names for frames: functions, files, lines and inlined frames, from the files on this machine.
// Not thread safe. Files are opened lazily and kept open while the Symbolizer lives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/model/snapshot.h"

namespace seep::symbolize {

// A variable, and where in it an address lies.
struct DataName {
  std::string name;          // demangled
  std::uint64_t offset = 0;  // bytes
  std::uint64_t size = 0;    // of the variable, bytes
};

struct Options {
  std::string sysroot;                  // prefix for module paths; empty: none
  std::vector<std::string> debug_dirs;  // searched before /usr/lib/debug
  bool linkage_names = false;  // fill ReportFrame::linkage_name too; reads every symbol table
};

class Symbolizer {
 public:
  explicit Symbolizer(Options options);
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // The frames that stand at one node: the inlined functions innermost first, the function that
  // was compiled there last. Never empty: without symbols it is one frame with module and offset.
  // A module whose file has another build-id now is left unnamed and reported by warnings().
  std::vector<model::ReportFrame> frames(const model::Module& module, const model::Node& node);

  // The function that was compiled at a node, by the symbol table alone: no file, no line, nothing
  // of what was inlined. Much cheaper than frames() where there is debug information.
  model::ReportFrame function(const model::Module& module, const model::Node& node);

  // The same of a node of `stacks`, which may be a script's: that names itself.
  std::vector<model::ReportFrame> frames(const model::Stacks& stacks, const model::Node& node);
  model::ReportFrame function(const model::Stacks& stacks, const model::Node& node);

  // The whole stack of a node, innermost first. Results are kept, so asking again costs little.
  model::ReportStack stack(const model::Stacks& stacks, std::uint32_t node);

  // The variable (global, static or local to a function) of a module that holds the ELF virtual
  // address. Unset where no symbol does, as in a stripped file.
  std::optional<DataName> data(const model::Module& module, std::uint64_t address);

  // One line for each module that could not be named as it should be, and one when debuginfod
  // servers were given up; each once.
  [[nodiscard]] const std::vector<std::string>& warnings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seep::symbolize
