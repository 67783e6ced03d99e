#include "preload/runtime/valgrind.h"

#include <string_view>

#include "preload/runtime/text.h"

namespace seep::runtime {

constinit bool g_under_valgrind = false;

void look_for_valgrind(char** environment) {
  for (char** variable = environment; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = view_of(*variable);
    if (text.starts_with("LD_PRELOAD=") && text.find("/vgpreload_") != std::string_view::npos) {
      g_under_valgrind = true;
    }
  }
}

}  // namespace seep::runtime
