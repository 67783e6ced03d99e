#include "preload/intercept/real_functions.h"

#include <string_view>

#include "preload/intercept/elf_symbols.h"
#include "preload/runtime/text.h"

namespace seep::intercept {

constinit RealFunctions g_real;

namespace {

template <typename Function>
void look_up(Function& function, const char* symbol) {
  if (function == nullptr) {
    function = reinterpret_cast<Function>(find_next_definition(symbol).address);
  }
}

bool object_is(const char* object, std::string_view name) {
  std::string_view path = runtime::view_of(object);
  path.remove_prefix(path.rfind('/') + 1);
  return path.substr(0, name.size()) == name;
}

}  // namespace

void resolve_operators() {
#define SEEP_NEW(member, symbol, parameters, arguments) look_up(g_real.member, #symbol);
#define SEEP_DELETE(member, symbol, parameters, arguments) look_up(g_real.member, #symbol);
#include "preload/intercept/operator_functions.inc"
#undef SEEP_NEW
#undef SEEP_DELETE
  const char* owner = find_next_definition("_Znwm").object;
  g_real.standard_operators =
      owner != nullptr && (object_is(owner, "libstdc++.so") || object_is(owner, "libc++"));
}

void resolve_real_functions() {
#define SEEP_HOOKED(member, symbol, ...) look_up(g_real.member, symbol);
#include "preload/intercept/hooked_functions.inc"
#undef SEEP_HOOKED
  resolve_operators();
  g_real.foreign_allocator = !object_is(find_next_definition("malloc").object, "libc.so");
  g_real.resolved = true;
}

}  // namespace seep::intercept
