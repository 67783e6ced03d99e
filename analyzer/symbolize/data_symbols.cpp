#include "analyzer/symbolize/data_symbols.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace seep::symbolize {
namespace {

// Of aliases ("environ", "__environ") the one that a reader knows.
unsigned preference_of(const GElf_Sym& symbol, const char* name) {
  const int binding = GELF_ST_BIND(symbol.st_info);
  const unsigned scope = binding == STB_GLOBAL ? 2U : binding == STB_WEAK ? 1U : 0U;
  return (*name == '_' ? 0U : 4U) + scope;
}

// Thread-local variables have offsets for addresses, and labels have no size: neither can be asked
// for by address.
bool is_variable(const GElf_Sym& symbol) {
  const int type = GELF_ST_TYPE(symbol.st_info);
  return (type == STT_OBJECT || type == STT_COMMON) && symbol.st_shndx != SHN_UNDEF &&
         symbol.st_shndx != SHN_ABS && symbol.st_size != 0;
}

}  // namespace

DataSymbols::DataSymbols(Dwfl_Module* module) {
  read_symbols(module);
  // By name in the end, so that the same file gives the same names everywhere.
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    const auto key = [](const Symbol& symbol) {
      return std::tuple(symbol.address, symbol.size, ~symbol.preference);
    };
    return key(a) != key(b) ? key(a) < key(b) : std::strcmp(a.name, b.name) < 0;
  });
  const auto same_place = [](const Symbol& a, const Symbol& b) {
    return a.address == b.address && a.size == b.size;
  };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same_place), symbols_.end());
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    const Symbol& symbol = symbols_[i];
    if (symbol.address <= ~symbol.size) {  // a hostile size must not wrap around
      ranges_.add(symbol.address, symbol.address + symbol.size, i);
    }
  }
  ranges_.seal();
}

void DataSymbols::read_symbols(Dwfl_Module* module) {
  const int count = dwfl_module_getsymtab(module);
  for (int i = 1; i < count; ++i) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    const char* name =
        dwfl_module_getsym_info(module, i, &symbol, &address, nullptr, nullptr, nullptr);
    if (name != nullptr && *name != '\0' && is_variable(symbol)) {
      symbols_.push_back({address, symbol.st_size, name, preference_of(symbol, name)});
    }
  }
}

std::optional<DataMatch> DataSymbols::find(std::uint64_t address) const {
  const std::size_t* index = ranges_.find(address);
  if (index == nullptr) {
    return std::nullopt;
  }
  const Symbol& symbol = symbols_[*index];
  return DataMatch{symbol.name, address - symbol.address, symbol.size};
}

}  // namespace seep::symbolize
