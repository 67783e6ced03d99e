// What edges between Python's values are called. Context: IN-FORK-CHILD.
#pragma once

#include <cstdint>

#include "preload/script/graph.h"
#include "preload/script/python_graph_layout.h"
#include "preload/script/python_layout.h"

namespace seep::script::python {

// Label::sort
enum Sort : std::uint16_t {
  kVariable,        // of a module; owner: the module's name, name
  kLocal,           // owner: code, name; number: line
  kLoose,           // owner: type. An object that no variable leads to
  kAttribute,       // owner: type, name
  kClassAttribute,  // the same, of the class itself
  kSlot,            // owner: type, name: of C
  kClosure,         // owner: function; number: of the cell, counted from the last, which is 1
  kDefault,         // owner: function
  kTextKey,         // name
  kNumberKey,       // name: the number
};

// Whether a str is `expected`.
bool is_text(const PythonLayout& layout, std::uint64_t string, std::string_view expected);

// What words are read with.
struct Words {
  const PythonLayout& layout;
  const PythonGraphLayout& graph;
  const GraphMemory& memory;
};
void name(const Words& words, const Label& label, GraphText& text);
void name_type(std::uint64_t type, const GraphMemory& memory, GraphText& text);

}  // namespace seep::script::python
