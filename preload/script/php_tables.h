// Where the roots of PHP's values are. They stand at different places in its globals by version,
// and are looked for there by what they hold. Context: IN-FORK-CHILD.
#pragma once

#include <cstdint>

#include "preload/script/graph.h"
#include "preload/script/php_frames.h"

namespace seep::script::php {

// 0: not found.
struct Tables {
  std::uint64_t variables = 0;  // an array
  std::uint64_t functions = 0;  // an array
  std::uint64_t classes = 0;    // an array
  std::uint64_t objects = 0;    // zend_objects_store
  std::uint64_t map_base = 0;
};
Tables find_tables(const PhpPlace& place, const GraphMemory& memory);

}  // namespace seep::script::php
