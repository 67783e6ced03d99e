// The program's own calls to seep: include/seep.h says what each does. That header is not included
// here: what it declares forwards to these.
#include "preload/intercept/process_events.h"
#include "preload/intercept/real_functions.h"
#include "preload/recorder/pools.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/units.h"

namespace seep::intercept {
namespace {

void notify_mark(const MarkEvent& event) {
  if (g_process_events.on_mark != nullptr) {
    g_process_events.on_mark(event);
  }
}

}  // namespace

// What is done while nothing is recorded would make each unit look cheaper than it is.
SEEP_EXPORT void seep_count_units(std::uint64_t count) {
  if (recorder::recording()) {
    recorder::g_units.add(count);
  }
}

SEEP_EXPORT void seep_name_unit(const char* name) {
  if (name != nullptr) {
    recorder::g_units.set_name(name);
  }
}

SEEP_EXPORT void seep_snapshot(const char* label) {
  notify_mark({format::Trigger::kApi, label, false, 0});
}

SEEP_EXPORT void seep_mark(const char* label) {
  notify_mark({format::Trigger::kMark, label, false, 0});
}

SEEP_EXPORT void seep_mark_units(const char* label, std::uint64_t units) {
  notify_mark({format::Trigger::kMark, label, true, units});
}

SEEP_EXPORT void seep_pool_alloc(const void* object, std::size_t size) {
  recorder::record_pool_object(object, size, recorder::caller_of_hook());
}

SEEP_EXPORT void seep_pool_free(const void* object) {
  recorder::release_pool_object(object);
}

SEEP_EXPORT void seep_pool_clear(const void* begin, std::size_t size) {
  recorder::release_pool_objects(begin, size);
}

}  // namespace seep::intercept
