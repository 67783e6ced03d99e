#include "analyzer/symbolize/dwarf_lookup.h"

#include <dwarf.h>

#include <string_view>

#include "analyzer/symbolize/demangle.h"

namespace seep::symbolize {
namespace {

// A concrete function names its abstract origin, that one its declaration in a class: two steps.
// The bound is for damaged debug information that refers in a circle.
constexpr int kMostReferences = 16;
// Lambdas in lambdas; bounded for the same reason.
constexpr unsigned kDeepestNesting = 16;

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

// A class without a name that can be called is a lambda's.
std::string scope_name(Dwarf_Die scope, bool called) {
  if (const char* name = dwarf_diename(&scope); name != nullptr) {
    return name;
  }
  if (dwarf_tag(&scope) == DW_TAG_namespace) {
    return "(anonymous namespace)";
  }
  return called ? "{lambda}" : "{unnamed}";
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

// By the units' own ranges: .debug_aranges would be one read, but Clang leaves it out.
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

// "garden::Bed::" or, for what is declared in a function, "garden::sow(int)::{lambda}::".
std::string DwarfLookup::scopes_around(Dwarf_Die declaration, unsigned depth) {
  Dwarf_Die root{};
  if (depth > kDeepestNesting || dwarf_diecu(&declaration, &root, nullptr, nullptr) == nullptr) {
    return {};
  }
  const char* name = dwarf_diename(&declaration);
  const bool called = name != nullptr && std::string_view(name) == "operator()";
  std::string text;
  for (Dwarf_Die scope : unit_of({root, root}).scopes_of(dwarf_dieoffset(&declaration))) {
    if (dwarf_tag(&scope) == DW_TAG_subprogram) {
      // Its name has the scopes around it.
      return name_of(scope, depth + 1).value_or("{unnamed}") + "::" + text;
    }
    text.insert(0, scope_name(scope, called) + "::");
  }
  return text;
}

// A mangled name has namespaces, classes and parameters. GCC gives none to functions with internal
// linkage, and C has none: those get the names of the scopes around them.
std::optional<std::string> DwarfLookup::name_of(Dwarf_Die function, unsigned depth) {
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
  return scopes_around(declaration, depth) + name;
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
