// Reading Python's objects with care: what python_graph reads with. Context: IN-FORK-CHILD.
#pragma once

#include <cstdint>

#include "preload/script/graph.h"
#include "preload/script/python_graph_layout.h"

namespace seep::script::python {

// A dict, or the values that an instance has for the keys of its class.
struct Dict {
  std::uint64_t keys;
  std::uint64_t values;  // 0: they stand beside the keys
  std::uint64_t entries;
  std::uint64_t count;  // of entries
  bool has_hashes;
};

class Objects {
 public:
  Objects(const PythonGraphLayout& layout, const GraphMemory& memory)
      : layout_(layout), memory_(memory) {}

  [[nodiscard]] std::uint64_t type_of(std::uint64_t object) const {
    return memory_.read(object + kObjectType);
  }
  [[nodiscard]] std::uint64_t flags_of(std::uint64_t type) const {
    return memory_.read(type + kTypeFlags);
  }
  [[nodiscard]] bool is_type(std::uint64_t type) const;
  [[nodiscard]] bool is_object(std::uint64_t address) const;
  [[nodiscard]] bool is_named(std::uint64_t type, const char* name) const;
  // Whether all that a block has in it is an object that was released and lies in a free list.
  [[nodiscard]] bool is_released(const runtime::MemoryRange& block) const;
  // Whether what is of this type refers to an object without holding it.
  [[nodiscard]] bool is_weak(std::uint64_t type) const;

  // False where what is there makes no sense. `values`: those of the keys, which stand apart, or 0.
  bool read_keys(std::uint64_t keys, std::uint64_t values, Dict& dict) const;
  // Of a dict; false for anything else.
  bool read_dict(std::uint64_t object, Dict& dict) const;
  // Where an instance has the values of its attributes; 0 where it has a dict, or nothing. `word`
  // is what stands where the pointer to its dict would be.
  [[nodiscard]] std::uint64_t values_of(std::uint64_t object, std::uint64_t type,
                                        std::uint64_t word) const;

 private:
  [[nodiscard]] bool has_no_owner(std::uint64_t object) const;

  const PythonGraphLayout& layout_;
  const GraphMemory& memory_;
};

}  // namespace seep::script::python
