// The environment that children inherit. Context: AT-INIT.
#pragma once

#include <string_view>

namespace seep::agent {

// Puts NAME=value strings into a copy of the environment, in place of those with the same name, and
// makes that copy the program's environment. Settled once at the start: system, popen and
// posix_spawn pass by every function that could be hooked later.
struct EnvironmentEdit {
  std::string_view set[2];      // "NAME=value", NUL-terminated memory that stays; may be empty
  bool remove_preload = false;  // takes libseep.so out of LD_PRELOAD
};
bool edit_environment(const EnvironmentEdit& edit);

}  // namespace seep::agent
