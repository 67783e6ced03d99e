// The values of a PHP script. Context: IN-FORK-CHILD.
//
//   static properties, globals, static variables of functions, variables of running functions
//     -> array -> element …     object -> property …     closure -> $this, variables it uses
//
// Objects of extensions keep values where only they know: their memory is looked through for words
// that are values by all signs (SplQueue, ArrayObject, fibers).
#pragma once

#include "preload/script/graph.h"

namespace seep::script {

// Null where PHP is not read.
const Graph* php_graph();

}  // namespace seep::script
