#include "analyzer/symbolize/symbol_table.h"

#include <algorithm>
#include <cstring>

namespace seep::symbolize {
namespace {

// Of aliases the exported one is what a reader knows, and "malloc" says more than "__libc_malloc".
unsigned preference_of(const GElf_Sym& symbol, const char* name) {
  const int binding = GELF_ST_BIND(symbol.st_info);
  const unsigned scope = binding == STB_GLOBAL ? 2U : binding == STB_WEAK ? 1U : 0U;
  const unsigned public_name = *name == '_' ? 0U : 1U;
  const unsigned has_size = symbol.st_size > 0 ? 1U : 0U;
  return scope * 4 + public_name * 2 + has_size;
}

}  // namespace

SymbolTable::SymbolTable(Dwfl_Module* module) {
  read_sections(module);
  read_symbols(module);
  index_symbols();
}

void SymbolTable::read_sections(Dwfl_Module* module) {
  GElf_Addr bias = 0;
  Elf* elf = dwfl_module_getelf(module, &bias);
  Elf_Scn* section = nullptr;
  while (elf != nullptr && (section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    constexpr GElf_Xword kCode = SHF_ALLOC | SHF_EXECINSTR;
    if (gelf_getshdr(section, &header) != nullptr && (header.sh_flags & kCode) == kCode) {
      sections_.add(header.sh_addr + bias, header.sh_addr + bias + header.sh_size,
                    elf_ndxscn(section));
    }
  }
  sections_.seal();
}

void SymbolTable::read_symbols(Dwfl_Module* module) {
  const int count = dwfl_module_getsymtab(module);
  for (int i = 1; i < count; ++i) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    const char* name =
        dwfl_module_getsym_info(module, i, &symbol, &address, nullptr, nullptr, nullptr);
    if (name != nullptr && *name != '\0' && symbol.st_shndx != SHN_UNDEF) {
      add(symbol, address, name);
    }
  }
}

// Assembly often leaves out the type of a function: its exported labels count as functions.
void SymbolTable::add(const GElf_Sym& symbol, std::uint64_t address, const char* name) {
  const int type = GELF_ST_TYPE(symbol.st_info);
  const bool local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL;
  const bool function = type == STT_FUNC || type == STT_GNU_IFUNC;
  if (!function && !(type == STT_NOTYPE && !local)) {
    return;
  }
  complete_ = complete_ || (function && local);
  symbols_.push_back({address, symbol.st_size, name, preference_of(symbol, name)});
}

void SymbolTable::index_symbols() {
  // By name in the end, so that the same file gives the same names everywhere.
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    if (a.address != b.address) {
      return a.address < b.address;
    }
    return a.preference != b.preference ? a.preference > b.preference
                                        : std::strcmp(a.name, b.name) < 0;
  });
  const auto same_address = [](const Symbol& a, const Symbol& b) { return a.address == b.address; };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same_address), symbols_.end());
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    sized_.add(symbols_[i].address, symbols_[i].address + symbols_[i].size, i);
  }
  sized_.seal();
}

std::optional<SymbolMatch> SymbolTable::find(std::uint64_t address) const {
  const std::size_t* section = sections_.find(address);
  if (section == nullptr) {
    return std::nullopt;
  }
  if (const std::size_t* symbol = sized_.find(address); symbol != nullptr) {
    return SymbolMatch{symbols_[*symbol].name, false};
  }
  return nearest(address, *section);
}

std::optional<SymbolMatch> SymbolTable::nearest(std::uint64_t address, std::size_t section) const {
  const auto next =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](std::uint64_t a, const Symbol& symbol) { return a < symbol.address; });
  if (next == symbols_.begin()) {
    return std::nullopt;
  }
  const Symbol& symbol = *std::prev(next);
  const std::size_t* symbol_section = sections_.find(symbol.address);
  const bool same_section = symbol_section != nullptr && *symbol_section == section;
  if (!same_section || (complete_ && symbol.size > 0)) {
    return std::nullopt;
  }
  return SymbolMatch{symbol.name, true};
}

}  // namespace seep::symbolize
