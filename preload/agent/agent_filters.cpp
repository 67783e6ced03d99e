// The end of a recording whose program forbids the system calls that a snapshot needs (seccomp).
#include "preload/agent/agent.h"
#include "preload/recorder/recorder.h"

namespace seep::agent {

using recorder::g_clock;

// Where it leaves too little, the last snapshot is taken before it is there, and the control page
// is told, which needs no call. What was recorded is followed on, since it costs no call either.
void Agent::take_last_before_filter() {
  const std::uint64_t now_ms = g_clock.look();
  if (confined_.load(std::memory_order_relaxed)) {
    return;
  }
  if (!is_dormant() && !is_short_lived()) {
    if (births_pending_.load(std::memory_order_relaxed)) {
      remember_births();
    }
    Request request;
    request.wait = true;
    take(request, now_ms);
  }
  confined_.store(true, std::memory_order_relaxed);
  recorder::count_loss(format::Loss::snapshots_failed);
  publish_status(format::AgentState::kDisabled);
  if (format::ControlPage* control = directory_.control(); control != nullptr) {
    runtime::copy_text(control->message, sizeof(control->message),
                       "the program has forbidden system calls that snapshots need (seccomp): this "
                       "recording ends here");
  }
}

}  // namespace seep::agent
