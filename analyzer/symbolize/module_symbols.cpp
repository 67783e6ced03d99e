#include "analyzer/symbolize/module_symbols.h"

#include <utility>

#include "analyzer/symbolize/demangle.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::symbolize {

ModuleSymbols::ModuleSymbols(const model::Module& module, const DebugSearch& search,
                             bool linkage_names)
    : path_(module.path),
      build_id_(module.build_id),
      file_(module, search),
      linkage_names_(linkage_names) {}

void ModuleSymbols::read_debug_information() {
  Dwarf_Addr bias = 0;
  if (Dwarf* dwarf = dwfl_module_getdwarf(file_.handle(), &bias); dwarf != nullptr) {
    dwarf_ = std::make_unique<DwarfLookup>(dwarf);
    dwarf_bias_ = bias;
  }
}

model::ReportFrame ModuleSymbols::empty_frame() const {
  model::ReportFrame frame;
  frame.module = path_;
  if (!build_id_.empty()) {
    frame.build_id = build_id_;
  }
  return frame;
}

const SymbolTable& ModuleSymbols::symbols() {
  if (!symbols_) {
    symbols_ = std::make_unique<SymbolTable>(file_.handle());
  }
  return *symbols_;
}

model::ReportFrame ModuleSymbols::function(std::uint64_t address) {
  model::ReportFrame frame = empty_frame();
  if (file_.handle() != nullptr) {
    name_by_symbol(address, frame);
  }
  return frame;
}

// A library's debug information tells the internal name of what it exports ("__libc_calloc",
// "___pthread_mutex_lock"); the symbol tells the one that callers write.
void ModuleSymbols::name_by_symbol(std::uint64_t address, model::ReportFrame& frame) {
  const bool is_named = frame.function && !frame.function->starts_with('_');
  if (is_named && !linkage_names_) {
    return;
  }
  const std::optional<SymbolMatch> match = symbols().find(address);
  if (match && linkage_names_ && !match->nearest) {
    frame.linkage_name = match->name;
  }
  if (match && !is_named && (!frame.function || (!match->nearest && *match->name != '_'))) {
    frame.function = demangle(match->name);
    frame.nearest_symbol = match->nearest;
  }
}

model::ReportStack ModuleSymbols::look_up(std::uint64_t address) {
  if (file_.handle() == nullptr) {
    return {empty_frame()};
  }
  if (!std::exchange(read_, true)) {
    read_debug_information();
  }
  model::ReportStack stack;
  if (dwarf_) {
    for (SourceFrame& source : dwarf_->frames(address - dwarf_bias_)) {
      model::ReportFrame frame = empty_frame();
      frame.function = std::move(source.function);
      frame.file = std::move(source.position.file);
      frame.line = source.position.line;
      frame.inlined = source.inlined;
      stack.push_back(std::move(frame));
    }
  }
  if (stack.empty()) {
    stack.push_back(empty_frame());
  }
  name_by_symbol(address, stack.back());
  return stack;
}

const model::ReportStack& ModuleSymbols::frames(std::uint64_t address) {
  const auto [entry, added] = known_.try_emplace(address);
  if (added) {
    entry->second = look_up(address);
  }
  return entry->second;
}

std::optional<DataName> ModuleSymbols::data(std::uint64_t address) {
  if (file_.handle() == nullptr) {
    return std::nullopt;
  }
  if (!data_) {
    data_ = std::make_unique<DataSymbols>(file_.handle());
  }
  const std::optional<DataMatch> match = data_->find(address);
  if (!match) {
    return std::nullopt;
  }
  return DataName{demangle(match->name), match->offset, match->size};
}

}  // namespace seep::symbolize
