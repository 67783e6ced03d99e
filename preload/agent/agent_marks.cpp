// Snapshots that the program itself asks for (include/seep.h).
#include "preload/agent/agent.h"
#include "preload/recorder/recorder.h"

namespace seep::agent {

// As the holder. The process may have ended since it was asked for.
void Agent::take_mark(const intercept::MarkEvent& event) {
  if (ended_.load(std::memory_order_acquire)) {
    return;
  }
  walker_.running();
  if (births_pending_.load(std::memory_order_relaxed)) {
    remember_births();
  }
  mark_.clear();
  if (event.label != nullptr) {
    mark_.add(runtime::view_of(event.label));
  }
  Request request;
  request.trigger = event.trigger;
  request.mark = mark_.view();
  request.has_units = event.has_units;
  request.units = event.units;
  // What reached its limit gives everything back next, and may end before a walker is done.
  request.wait = event.trigger == format::Trigger::kLimit;
  take(request, recorder::g_clock.look());
}

}  // namespace seep::agent
