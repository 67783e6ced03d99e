// Names of a module's data: global, static and function-local variables, by address. Sorted once.
// Lives no longer than the module it was made from.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "analyzer/symbolize/range_index.h"

namespace seep::symbolize {

struct DataMatch {
  const char* name = nullptr;  // mangled
  std::uint64_t offset = 0;    // of the address in the variable, bytes
  std::uint64_t size = 0;      // of the variable, bytes
};

class DataSymbols {
 public:
  // Reads the same tables as SymbolTable.
  explicit DataSymbols(Dwfl_Module* module);

  // The variable that holds the address.
  [[nodiscard]] std::optional<DataMatch> find(std::uint64_t address) const;

 private:
  struct Symbol {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    const char* name = nullptr;
    unsigned preference = 0;  // among symbols of one address and size the largest is taken
  };

  void read_symbols(Dwfl_Module* module);

  std::vector<Symbol> symbols_;
  RangeIndex<std::size_t> ranges_;  // into symbols_
};

}  // namespace seep::symbolize
