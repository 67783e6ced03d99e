#include "analyzer/symbolize/dwarf_lookup.h"

#include <dwarf.h>

#include "analyzer/symbolize/demangle.h"

namespace seep::symbolize {
namespace {

// A concrete function names its abstract origin, that one its declaration in a class: two steps.
// The bound is for damaged debug information that refers in a circle.
constexpr int kMostReferences = 16;

Dwarf_Die declaration_of(Dwarf_Die function) {
  for (int step = 0; step < kMostReferences; ++step) {
    Dwarf_Attribute attribute;
    Dwarf_Attribute* reference = dwarf_attr(&function, DW_AT_abstract_origin, &attribute);
    if (reference == nullptr) {
      reference = dwarf_attr(&function, DW_AT_specification, &attribute);
    }
    Dwarf_Die next{};
    if (reference == nullptr || dwarf_formref_die(reference, &next) == nullptr) {
      break;
    }
    function = next;
  }
  return function;
}

const char* linkage_name(Dwarf_Die* function) {
  for (const unsigned name : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    Dwarf_Attribute attribute;
    if (const char* text = dwarf_formstring(dwarf_attr_integrate(function, name, &attribute))) {
      return text;
    }
  }
  return nullptr;
}

}  // namespace

DwarfLookup::DwarfLookup(Dwarf* dwarf) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Half version = 0;
  std::uint8_t type = 0;
  Dwarf_Die root{};
  Dwarf_Die split{};
  while (dwarf_get_units(dwarf, unit, &unit, &version, &type, &root, &split) == 0) {
    if (type == DW_UT_compile || type == DW_UT_skeleton) {
      add_unit(root, split.addr != nullptr ? split : root);
    }
  }
  ranges_.seal();
}

// Not .debug_aranges: Clang leaves it out, and GCC's link-time optimization leaves it incomplete.
void DwarfLookup::add_unit(Dwarf_Die unit, Dwarf_Die tree) {
  Dwarf_Addr base = 0;
  Dwarf_Addr low = 0;
  Dwarf_Addr high = 0;
  for (ptrdiff_t next = 0; (next = dwarf_ranges(&unit, next, &base, &low, &high)) > 0;) {
    if (low != 0) {  // 0: code that the linker dropped
      ranges_.add(low, high, {unit, tree});
    }
  }
}

DwarfUnit& DwarfLookup::unit_of(const UnitRoots& roots) {
  std::unique_ptr<DwarfUnit>& unit = units_[roots.tree.addr];
  if (!unit) {
    unit = std::make_unique<DwarfUnit>(roots.unit, roots.tree);
  }
  return *unit;
}

std::string DwarfLookup::scope_of(Dwarf_Die declaration) {
  Dwarf_Die root{};
  if (dwarf_diecu(&declaration, &root, nullptr, nullptr) == nullptr) {
    return {};
  }
  return unit_of({root, root}).scope_of(dwarf_dieoffset(&declaration));
}

// A mangled name has namespaces, classes and parameters. GCC gives none to functions with internal
// linkage, and C has none: those get the names of the scopes around them.
std::optional<std::string> DwarfLookup::name_of(Dwarf_Die function) {
  if (const char* linkage = linkage_name(&function); linkage != nullptr) {
    if (std::string text = demangle(linkage); text != linkage) {
      return text;
    }
  }
  Dwarf_Die declaration = declaration_of(function);
  const char* name = dwarf_diename(&declaration);
  if (name == nullptr) {
    return std::nullopt;
  }
  return scope_of(declaration) + name;
}

std::vector<SourceFrame> DwarfLookup::frames(Dwarf_Addr pc) {
  std::vector<SourceFrame> frames;
  const UnitRoots* roots = ranges_.find(pc);
  if (roots == nullptr) {
    return frames;
  }
  DwarfUnit& unit = unit_of(*roots);
  SourcePosition position = unit.position_at(pc);
  std::vector<Dwarf_Die> chain = unit.functions_at(pc);
  if (chain.empty()) {
    if (position.file) {
      frames.push_back({std::nullopt, std::move(position), false});
    }
    return frames;
  }
  // Each inlined function says where its caller stood when it was inlined.
  for (; chain.size() > 1; chain.pop_back()) {
    frames.push_back({name_of(chain.back()), std::move(position), true});
    position = unit.call_position(chain.back());
  }
  frames.push_back({name_of(chain.front()), std::move(position), false});
  return frames;
}

}  // namespace seep::symbolize
