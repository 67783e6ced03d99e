// The modules as the loader lists them, for where /proc is not mounted (a chroot jail).
// Context: IN-HOOK (slow path), any thread. Takes no lock of the loader's: another thread may be
// adding or removing objects, so each word is read by the kernel, and what is no ELF file is left
// out.
#pragma once

#include "preload/stack/place_table.h"

namespace seep::stack {

// Puts the code of all listed objects into `table`. Code that a program has written itself is not
// listed. False when the list cannot be read, or objects are just being removed.
bool add_loader_modules(PlaceTable& table);

}  // namespace seep::stack
