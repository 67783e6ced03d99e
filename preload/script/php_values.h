// Reading PHP's values with care, and what edges between them are called: what php_graph reads
// with, and php_names writes. Context: IN-FORK-CHILD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/script/graph.h"
#include "preload/script/php_graph_layout.h"
#include "preload/script/php_layout.h"

namespace seep::script::php {

// Label::sort, of roots and of members.
enum Sort : std::uint16_t {
  kStaticProperty,  // owner: class, name: of a property
  kGlobal,          // name, or 0 where it is not known any more
  kStaticVariable,  // owner: function, name
  kLocal,           // owner: function, name, or 0 for $this; number: line
  kLoose,           // owner: class. An object that no variable leads to
  kProperty,        // owner: class, name, or 0 where it is not known
  kBound,           // owner: function of a closure, name, or 0 for $this
  kTextKey,         // name
  kNumberKey,       // name: the number
};

// Container::type: a class, or
inline constexpr std::uint64_t kArrayType = 1;

// The type of what is counted at `address`, by its own word.
inline unsigned counted_type(const GraphMemory& memory, std::uint64_t address) {
  return memory.read<std::uint32_t>(address + kCountedType) & kCountedTypeMask;
}

// An array as far as it makes sense.
struct Table {
  std::uint64_t memory;  // that it has for its elements
  std::uint64_t first;   // of the elements: buckets, or values alone
  std::uint64_t stride;
  std::uint32_t used;      // with those that are no more
  std::uint32_t elements;  // that there are
  [[nodiscard]] bool has_keys() const { return stride == kBucketBytes; }
};
// `lists_hold_values`: PhpGraphLayout's. False where it makes none.
bool read_table(const GraphMemory& memory, std::uint64_t array, bool lists_hold_values,
                Table& table);

// A string that is there as a whole; empty where it is not, or longer than a name is.
std::string_view text_at(const GraphMemory& memory, std::uint64_t string);
// Whether a class is there.
bool is_class(const GraphMemory& memory, std::uint64_t scope);
// The function in PHP's file and the line it begins at; empty where it is none.
struct Place {
  std::string_view file;
  std::uint32_t line = 0;
};
Place place_of(const GraphMemory& memory, std::uint64_t function, const PhpLayout& layout);

void name(const PhpLayout& layout, const Label& label, const GraphMemory& memory, GraphText& text);
void name_type(std::uint64_t type, const GraphMemory& memory, GraphText& text);

}  // namespace seep::script::php
