// Frames by address for one module; asks the debug information first and the symbols then.
// Everything is read on the first question and kept. Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/model/snapshot.h"
#include "analyzer/symbolize/data_symbols.h"
#include "analyzer/symbolize/dwarf_lookup.h"
#include "analyzer/symbolize/module_file.h"
#include "analyzer/symbolize/symbol_table.h"

namespace seep::symbolize {

struct DataName;

class ModuleSymbols {
 public:
  // `search` must outlive the object. `linkage_names`: fill ReportFrame::linkage_name.
  ModuleSymbols(const model::Module& module, const DebugSearch& search, bool linkage_names = false);

  // The frames of the instruction at `address`, innermost first; at least one. Module, build-id
  // and what the symbols tell are filled in. Valid until the next call.
  const model::ReportStack& frames(std::uint64_t address);

  // The variable that holds `address`.
  std::optional<DataName> data(std::uint64_t address);

  // The function at `address` by the symbols alone.
  model::ReportFrame function(std::uint64_t address);

  [[nodiscard]] const std::string& warning() const { return file_.warning(); }

 private:
  void read_debug_information();
  [[nodiscard]] model::ReportStack look_up(std::uint64_t address);
  [[nodiscard]] model::ReportFrame empty_frame() const;
  void name_by_symbol(std::uint64_t address, model::ReportFrame& frame);
  const SymbolTable& symbols();

  std::string path_;
  std::string build_id_;
  ModuleFile file_;  // before what is read from it
  bool linkage_names_ = false;
  bool read_ = false;
  std::unique_ptr<DwarfLookup> dwarf_;  // null without debug information
  std::uint64_t dwarf_bias_ = 0;        // our address minus that in the debug information
  std::unique_ptr<SymbolTable> symbols_;
  std::unique_ptr<DataSymbols> data_;
  std::unordered_map<std::uint64_t, model::ReportStack> known_;
};

}  // namespace seep::symbolize
