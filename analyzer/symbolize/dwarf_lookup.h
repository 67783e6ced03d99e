// From an address to functions, files and lines by the debug information of one module.
// Units are indexed on the first question, and each is walked when an address falls into it.
// Lives no longer than the Dwarf it came from. Not thread safe.
#pragma once

#include <elfutils/libdw.h>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/symbolize/dwarf_unit.h"
#include "analyzer/symbolize/range_index.h"

namespace seep::symbolize {

struct SourceFrame {
  std::optional<std::string> function;  // demangled
  SourcePosition position;
  bool inlined = false;
};

class DwarfLookup {
 public:
  explicit DwarfLookup(Dwarf* dwarf);

  // The frames at an address as the debug information numbers it: inlined functions innermost
  // first, then the function that was compiled there. Empty when no unit holds the address; one
  // frame without a function when only a line is known.
  std::vector<SourceFrame> frames(Dwarf_Addr pc);

 private:
  struct UnitRoots {
    Dwarf_Die unit;
    Dwarf_Die tree;
  };

  void add_unit(Dwarf_Die unit, Dwarf_Die tree);
  DwarfUnit& unit_of(const UnitRoots& roots);
  // `depth`: how many functions inside of others have led here.
  std::optional<std::string> name_of(Dwarf_Die function, unsigned depth = 0);
  std::string scopes_around(Dwarf_Die declaration, unsigned depth);

  RangeIndex<UnitRoots> ranges_;
  std::unordered_map<const void*, std::unique_ptr<DwarfUnit>> units_;  // by their first byte
};

}  // namespace seep::symbolize
