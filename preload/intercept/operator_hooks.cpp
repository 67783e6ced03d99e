// Every replaceable form of operator new and delete. A program linked with an allocator of its own
// has forms that never call malloc, so they are hooked themselves.
//
// The C++ library's own forms are malloc and free with a loop around them that runs when memory is
// out; malloc and free are called in their place, so that a call is recorded once. Other forms are
// called as they are: if they reach malloc below, the inner record is replaced by the outer one.
#include <type_traits>

#include "preload/intercept/call_allocator.h"
#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"

namespace seep::intercept {
namespace {

// The C++ library may have been loaded after the start.
bool operators_are_standard() {
  if (real().new_plain == nullptr) [[unlikely]] {
    resolve_operators();
  }
  return real().standard_operators;
}

template <auto kMember>
struct New {
  recorder::Caller caller;

  template <typename... Rest>
  static constexpr bool kAligned = (std::is_same_v<Rest, std::size_t> || ...);

  template <typename... Rest>
  void* call(std::size_t size, Rest... rest) const {
    const recorder::Mode mode = recorder::mode();
    if (mode == recorder::Mode::kDormant) {
      return call_dormant(size, rest...);
    }
    if (!kAligned<Rest...> && operators_are_standard()) {
      const bool straight = goes_straight(mode, size);
      void* block = call_allocator(
          [=](const RealFunctions& real) { return real.malloc(at_least_granule(size)); });
      if (block != nullptr) [[likely]] {
        return straight ? block : recorder::record_allocation(block, size, caller);
      }
    }
    return call_real(size, rest...);
  }

  template <typename... Rest>
  static void* call_dormant(std::size_t size, Rest... rest) {
    if (recorder::dormant_call_must_look()) [[unlikely]] {
      recorder::look_while_dormant();
    }
    const RealFunctions& real = real_when_dormant();
    if (!kAligned<Rest...> && operators_are_standard()) {
      void* block = real.malloc(at_least_granule(size));
      if (block != nullptr) [[likely]] {
        return block;
      }
    }
    const auto form = real.*kMember;
    return form != nullptr ? form(at_least_granule(size), rest...)
                           : real.malloc(at_least_granule(size));
  }

  // The real form throws or calls the new_handler when memory is out: this frame is left then
  // without returning, and the guard is stale.
  template <typename... Rest>
  void* call_real(std::size_t size, Rest... rest) const {
    const auto form = real().*kMember;
    void* block = nullptr;
    {
      const recorder::AllocatorGuard guard;
      block = form != nullptr ? form(at_least_granule(size), rest...)
                              : real().malloc(at_least_granule(size));
    }
    return recorder::record_foreign_allocation(block, size, caller);
  }
};

template <auto kMember>
struct Delete {
  template <typename... Rest>
  static void call(void* block, Rest... rest) {
    if (recorder::dormant()) {
      const auto form = real_when_dormant().*kMember;
      return form == nullptr || operators_are_standard() ? real_when_dormant().free(block)
                                                         : form(block, rest...);
    }
    recorder::record_release(block);
    const auto form = real().*kMember;
    if (form == nullptr || operators_are_standard()) {
      call_allocator([=](const RealFunctions& real) { real.free(block); });
      return;
    }
    const recorder::AllocatorGuard guard(block);
    form(block, rest...);
  }
};

}  // namespace

#define SEEP_NEW(member, symbol, parameters, arguments)                            \
  SEEP_EXPORT void* symbol parameters {                                            \
    return New<&RealFunctions::member>{recorder::caller_of_hook()}.call arguments; \
  }
#define SEEP_DELETE(member, symbol, parameters, arguments) \
  SEEP_EXPORT void symbol parameters {                     \
    Delete<&RealFunctions::member>::call arguments;        \
  }
#include "preload/intercept/operator_functions.inc"
#undef SEEP_NEW
#undef SEEP_DELETE

}  // namespace seep::intercept
