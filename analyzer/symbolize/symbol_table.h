// Function symbols of one module, for code without debug information. Sorted once.
// Lives no longer than the module it was made from.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "analyzer/symbolize/range_index.h"

namespace seep::symbolize {

struct SymbolMatch {
  const char* name = nullptr;  // mangled
  bool nearest = false;        // the address is not known to be in it: it is the last one before it
};

class SymbolTable {
 public:
  // Takes .symtab of the file or of its debug file, .gnu_debugdata, or .dynsym, whichever libdwfl
  // finds first.
  explicit SymbolTable(Dwfl_Module* module);

  // The function that holds the address, or else the nearest one before it in the same section.
  // With a full table, an address behind the end of a function is in no function.
  [[nodiscard]] std::optional<SymbolMatch> find(std::uint64_t address) const;

 private:
  struct Symbol {
    std::uint64_t address = 0;
    std::uint64_t size = 0;  // 0: not said
    const char* name = nullptr;
    unsigned preference = 0;  // among symbols of one address the largest is taken
  };

  void read_sections(Dwfl_Module* module);
  void read_symbols(Dwfl_Module* module);
  void add(const GElf_Sym& symbol, std::uint64_t address, const char* name);
  void index_symbols();
  [[nodiscard]] std::optional<SymbolMatch> nearest(std::uint64_t address,
                                                   std::size_t section) const;

  std::vector<Symbol> symbols_;
  RangeIndex<std::size_t> sized_;     // into symbols_
  RangeIndex<std::size_t> sections_;  // those with code, by their number
  bool complete_ = false;             // has static functions too: not only what is exported
};

}  // namespace seep::symbolize
