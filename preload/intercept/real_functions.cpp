#include "preload/intercept/real_functions.h"

#include <string_view>

#include "preload/intercept/call_allocator.h"
#include "preload/intercept/elf_symbols.h"
#include "preload/recorder/losses.h"
#include "preload/runtime/loaded_objects.h"
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

// The functions that the substitutes below stand for.
constinit RealFunctions::malloc_type g_malloc_below = nullptr;
constinit RealFunctions::realloc_type g_realloc_below = nullptr;

std::atomic<std::uint64_t>& allocators_unseen() {
  return recorder::g_losses[static_cast<std::uint32_t>(format::Loss::allocators_unseen)];
}

// Below a malloc that stands before ours: it passes calls on, so they are seen after all.
void* malloc_of_shadowed(std::size_t size) {
  if (allocators_unseen().load(std::memory_order_relaxed) != 0) {
    allocators_unseen().store(0, std::memory_order_relaxed);
  }
  return g_malloc_below(size);
}

// mimalloc gives a block of 8 bytes for none: it must have a granule of its own.
void* realloc_of_others(void* block, std::size_t size) {
  void* fresh = g_realloc_below(block, size);
  if (size != 0 || fresh == nullptr) {
    return fresh;
  }
  void* whole = g_realloc_below(fresh, kGranuleBytes);
  return whole != nullptr ? whole : fresh;
}

// Stands in place of what was looked up, so that hooks need not ask. Idempotent, as all of this.
template <typename Function>
void substitute(Function& function, Function& below, Function substitute) {
  if (function != nullptr && function != substitute) {
    below = function;
    function = substitute;
  }
}

void look_up_operators() {
#define SEEP_NEW(member, symbol, parameters, arguments) look_up(g_real.member, #symbol);
#define SEEP_DELETE(member, symbol, parameters, arguments) look_up(g_real.member, #symbol);
#include "preload/intercept/operator_functions.inc"
#undef SEEP_NEW
#undef SEEP_DELETE
}

}  // namespace

void resolve_operators() {
  look_up_operators();
  if (!runtime::is_relocated()) {
    return;
  }
  const char* owner = find_next_definition("_Znwm").object;
  g_real.standard_operators = !g_real.shadowed && owner != nullptr &&
                              (object_is(owner, "libstdc++.so") || object_is(owner, "libc++"));
}

void resolve_real_functions() {
#define SEEP_HOOKED(member, symbol, ...) look_up(g_real.member, symbol);
#include "preload/intercept/hooked_functions.inc"
#undef SEEP_HOOKED
  if (!runtime::is_relocated()) {
    look_up_operators();
    return;
  }
  g_real.shadowed = is_defined_before("malloc");
  resolve_operators();
  g_real.foreign_allocator = !object_is(find_next_definition("malloc").object, "libc.so");
  if (g_real.foreign_allocator) {
    substitute(g_real.realloc, g_realloc_below, realloc_of_others);
  }
  if (g_real.shadowed) {
    allocators_unseen().store(1, std::memory_order_relaxed);
    substitute(g_real.malloc, g_malloc_below, malloc_of_shadowed);
  }
  g_real.libc_allocator = !g_real.foreign_allocator && !g_real.shadowed;
  g_real.resolved = true;
}

}  // namespace seep::intercept
