// The values of a Python program. Context: IN-FORK-CHILD.
//
//   variables of modules, of running functions
//     -> dict, list, tuple, set -> element …     instance -> attribute …
//     -> class -> attribute …                    function -> closure, defaults
//
// Objects of types in C keep values where only they know: their memory is looked through for
// addresses of objects (deque, partial, iterators).
#pragma once

#include "preload/script/graph.h"

namespace seep::script {

// Null where Python is not read.
const Graph* python_graph();

}  // namespace seep::script
