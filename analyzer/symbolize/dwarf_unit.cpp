#include "analyzer/symbolize/dwarf_unit.h"

#include <dwarf.h>

#include <filesystem>
#include <system_error>

namespace seep::symbolize {
namespace {

// Deeper nesting than any compiler makes: a bound for damaged debug information.
constexpr unsigned kDeepest = 200;

bool names_scope(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
         tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

// Without the steps upward of a build beside its sources, unless these lead elsewhere: a folder on
// the way may be a link.
std::string without_steps_upward(const std::string& path) {
  if (path.find("/../") == std::string::npos) {
    return path;
  }
  std::error_code error;
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  const bool leads_elsewhere =
      !std::filesystem::exists(normal, error) && std::filesystem::exists(path, error);
  return leads_elsewhere ? path : normal.string();
}

bool is_block(int tag) {
  return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

// Appends the calls that were inlined at pc below `parent`, outermost first; false when there are
// none. A block without any is left again, since GCC makes blocks that overlap the next ones.
bool append_inlined(Dwarf_Die parent, Dwarf_Addr pc, unsigned depth,
                    std::vector<Dwarf_Die>& chain) {
  Dwarf_Die child{};
  int more = depth > kDeepest ? 1 : dwarf_child(&parent, &child);
  for (; more == 0; more = dwarf_siblingof(&child, &child)) {
    const int tag = dwarf_tag(&child);
    const bool inlined = tag == DW_TAG_inlined_subroutine;
    if ((!inlined && !is_block(tag)) || dwarf_haspc(&child, pc) <= 0) {
      continue;
    }
    if (inlined) {
      chain.push_back(child);
    }
    if (append_inlined(child, pc, depth + 1, chain) || inlined) {
      return true;
    }
  }
  return false;
}

}  // namespace

DwarfUnit::DwarfUnit(Dwarf_Die unit, Dwarf_Die tree) : unit_(unit), tree_(tree), scopes_(1) {
  walk(tree_, 0, 0);
  functions_.seal();
}

void DwarfUnit::walk(Dwarf_Die parent, ScopeId scope, unsigned depth) {
  if (depth > kDeepest) {
    return;
  }
  Dwarf_Die child{};
  for (int more = dwarf_child(&parent, &child); more == 0; more = dwarf_siblingof(&child, &child)) {
    visit(child, scope, depth);
  }
}

void DwarfUnit::visit(Dwarf_Die die, ScopeId scope, unsigned depth) {
  const int tag = dwarf_tag(&die);
  if (is_block(tag)) {
    walk(die, scope, depth + 1);
    return;
  }
  if (tag != DW_TAG_subprogram && !names_scope(tag)) {
    return;
  }
  if (tag == DW_TAG_subprogram) {
    add_function(die, scope);
  }
  // Functions stand inside of others too: those of local classes, lambdas, GNU C's nested ones.
  if (dwarf_haschildren(&die) > 0) {
    scopes_.push_back({scope, die});
    walk(die, static_cast<ScopeId>(scopes_.size() - 1), depth + 1);
  }
}

void DwarfUnit::add_function(Dwarf_Die function, ScopeId scope) {
  if (scope != 0) {
    scope_of_.emplace(dwarf_dieoffset(&function), scope);
  }
  Dwarf_Addr base = 0;
  Dwarf_Addr low = 0;
  Dwarf_Addr high = 0;
  for (ptrdiff_t next = 0; (next = dwarf_ranges(&function, next, &base, &low, &high)) > 0;) {
    // Linkers leave address 0 in the debug information of functions that they dropped.
    if (low != 0) {
      functions_.add(low, high, function);
    }
  }
}

std::vector<Dwarf_Die> DwarfUnit::scopes_of(Dwarf_Off function) const {
  const auto found = scope_of_.find(function);
  std::vector<Dwarf_Die> scopes;
  for (ScopeId id = found == scope_of_.end() ? 0 : found->second; id != 0;
       id = scopes_[id].parent) {
    scopes.push_back(scopes_[id].die);
  }
  return scopes;
}

std::vector<Dwarf_Die> DwarfUnit::functions_at(Dwarf_Addr pc) const {
  std::vector<Dwarf_Die> chain;
  if (const Dwarf_Die* function = functions_.find(pc); function != nullptr) {
    chain.push_back(*function);
    append_inlined(*function, pc, 0, chain);
  }
  return chain;
}

// libdw does so itself, but for directories of the line table that are relative.
std::optional<std::string> DwarfUnit::absolute_path(const char* file) {
  if (file == nullptr) {
    return std::nullopt;
  }
  Dwarf_Attribute attribute;
  const char* directory =
      *file == '/' ? nullptr : dwarf_formstring(dwarf_attr(&unit_, DW_AT_comp_dir, &attribute));
  return without_steps_upward(directory == nullptr ? file : directory + std::string("/") + file);
}

SourcePosition DwarfUnit::position_at(Dwarf_Addr pc) {
  SourcePosition position;
  Dwarf_Line* row = dwarf_getsrc_die(&unit_, pc);
  if (row == nullptr) {
    return position;
  }
  position.file = absolute_path(dwarf_linesrc(row, nullptr, nullptr));
  if (int line = 0; dwarf_lineno(row, &line) == 0 && line > 0) {
    position.line = static_cast<unsigned>(line);
  }
  return position;
}

SourcePosition DwarfUnit::call_position(Dwarf_Die inlined) {
  SourcePosition position;
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  Dwarf_Files* files = nullptr;
  if (dwarf_formudata(dwarf_attr(&inlined, DW_AT_call_file, &attribute), &value) == 0 &&
      dwarf_getsrcfiles(&tree_, &files, nullptr) == 0) {
    position.file = absolute_path(dwarf_filesrc(files, value, nullptr, nullptr));
  }
  if (dwarf_formudata(dwarf_attr(&inlined, DW_AT_call_line, &attribute), &value) == 0 &&
      value > 0) {
    position.line = static_cast<unsigned>(value);
  }
  return position;
}

}  // namespace seep::symbolize
