// The loader's list of the objects that it has loaded. Context: AT-INIT, IN-HOOK (slow paths).
//
// A library's IFUNC resolver may come here before libseep.so itself is relocated: the loader takes
// the objects from the end of its list. Nothing of libc can be called then, no symbol of another
// object is known, and thread-local variables have no place. What must work that early therefore
// compares its texts itself, and keeps to hidden variables.
#pragma once

#include <link.h>

namespace seep::runtime {

// False while the loader has not relocated libseep.so.
bool is_relocated();

// The first object, which is the program; null where the list cannot be found: before the
// relocation that takes /proc or a kernel of 6.4, and a program that the kernel started itself.
const link_map* loaded_objects();

}  // namespace seep::runtime
