// One compilation unit of the debug information: its functions by address, the scope every
// function is declared in, and its source lines. Built by one walk over the unit.
// Lives no longer than the Dwarf it came from. Not thread safe (libdw is not).
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/symbolize/range_index.h"

namespace seep::symbolize {

struct SourcePosition {
  std::optional<std::string> file;  // from the unit's directory where the path is relative
  std::optional<unsigned> line;     // absent too where the compiler says "no line" (line 0)
};

class DwarfUnit {
 public:
  // `unit` has the line table. `tree` has the functions: the same entry, or with split debug
  // information the one in the .dwo file.
  DwarfUnit(Dwarf_Die unit, Dwarf_Die tree);

  // The function whose code holds pc and the calls inlined there, outermost first.
  // Empty when no function of this unit holds it.
  [[nodiscard]] std::vector<Dwarf_Die> functions_at(Dwarf_Addr pc) const;

  // The namespaces, classes and functions around a function declared in this unit, innermost first.
  [[nodiscard]] std::vector<Dwarf_Die> scopes_of(Dwarf_Off function) const;

  // The source line that pc was compiled from.
  [[nodiscard]] SourcePosition position_at(Dwarf_Addr pc);

  // Where an inlined function of this unit was called.
  [[nodiscard]] SourcePosition call_position(Dwarf_Die inlined);

 private:
  using ScopeId = std::uint32_t;  // index into scopes_; 0 is the outermost level
  struct Scope {
    ScopeId parent = 0;
    Dwarf_Die die{};
  };

  void walk(Dwarf_Die parent, ScopeId scope, unsigned depth);
  void visit(Dwarf_Die die, ScopeId scope, unsigned depth);
  void add_function(Dwarf_Die function, ScopeId scope);
  std::optional<std::string> absolute_path(const char* file);

  Dwarf_Die unit_;
  Dwarf_Die tree_;
  RangeIndex<Dwarf_Die> functions_;
  std::vector<Scope> scopes_;
  std::unordered_map<Dwarf_Off, ScopeId> scope_of_;  // only functions that are inside of a scope
};

}  // namespace seep::symbolize
