// Whether the program runs under Valgrind, which makes its system calls for it and knows clone(2)
// as fork and as the beginning of a thread: at any other it ends the program. Context: AT-INIT; the
// answer may be read IN-HOOK.
#pragma once

namespace seep::runtime {

// Written AT-INIT, before there are other threads.
extern bool g_under_valgrind;

// AT-INIT. Valgrind preloads a library of its own, which stands in this environment.
void look_for_valgrind(char** environment);

}  // namespace seep::runtime
