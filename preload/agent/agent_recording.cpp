// How recording begins, pauses and goes on. All of it runs as the agent's holder.
//
// Threads may be anywhere in a hook when the mode changes; none is waited for. That is safe:
//  - Recording begins, or goes on. A block that a thread allocates meanwhile under the old mode
//  stays
//    unknown, as all that were allocated before. No release of a recorded block is missed: a block
//    is recorded by a thread that has seen the new mode, and whoever releases it got it from there,
//    so it sees the new mode too.
//  - Recording pauses. A thread that read the mode before may still record its block, which is
//  alive:
//    its release is seen while paused.
//  - It is never dormant again once it has recorded: releases would be missed.
#include "preload/agent/agent.h"
#include "preload/runtime/clocks.h"
#include "preload/snapshot/accounting.h"
#include "preload/stack/modules.h"

namespace seep::agent {
namespace {

using recorder::g_clock;

constexpr std::uint64_t kSizeLookMs = 100;  // between two looks at the resident size

}  // namespace

recorder::Mode Agent::recording_mode() const {
  return settings_.sample ? recorder::Mode::kSample : recorder::Mode::kExact;
}

format::AgentState Agent::published_state() const {
  return state() == RecordingState::kRecording ? format::AgentState::kRecording
                                               : format::AgentState::kPaused;
}

// Does what `event` asks for and takes the snapshot that goes with it.
void Agent::change_recording(RecordingEvent event, std::uint64_t now_ms) {
  Request request;
  switch (next_step(state(), event).action) {
    case RecordingAction::kNothing:
      return answer(format::Answer::kDone, 0);
    case RecordingAction::kSnapshot:
      request.trigger = format::Trigger::kSignal;
      break;
    case RecordingAction::kBegin:
      request.trigger = format::Trigger::kStart;
      begin_recording(now_ms);
      break;
    case RecordingAction::kGoOn:
      request.trigger = format::Trigger::kStart;
      now_ms = go_on_recording(now_ms);
      break;
    case RecordingAction::kPause:
      request.trigger = format::Trigger::kRequest;
      pause_recording(now_ms);
      break;
  }
  take(request, now_ms);
}

// Growth is counted from here: what was allocated before is unknown.
void Agent::begin_recording(std::uint64_t now_ms) {
  stack::refresh_modules();
  gaps_ |= format::kBeganLate;
  identity_.started_unix_ns = runtime::unix_ns();
  if (format::ControlPage* control = directory_.control(); control != nullptr) {
    __atomic_store_n(&control->started_unix_ns, identity_.started_unix_ns, __ATOMIC_RELAXED);
    control->message[0] = '\0';
  }
  origin_ms_.store(now_ms, std::memory_order_relaxed);
  state_.store(RecordingState::kRecording, std::memory_order_release);
  recorder::set_mode(recording_mode());
}

// The pause takes no time: rates are those of the time that was recorded, and no block is older
// than that. Returns the time that it is now.
std::uint64_t Agent::go_on_recording(std::uint64_t now_ms) {
  g_clock.set_back(now_ms - paused_ms_);
  next_size_check_ms_.store(0, std::memory_order_relaxed);
  state_.store(RecordingState::kRecording, std::memory_order_release);
  recorder::set_mode(recording_mode());
  return paused_ms_;
}

// No more periodic snapshots: there is nothing new to see in them. Those that are asked for, and
// the last one, show what has been released since, at the time of the pause.
void Agent::pause_recording(std::uint64_t now_ms) {
  gaps_ |= format::kWasPaused;
  paused_ms_ = now_ms;
  recorder::set_mode(recorder::Mode::kReleasesOnly);
  state_.store(RecordingState::kPaused, std::memory_order_release);
}

// Looks at the size now and then.
bool Agent::start_size_is_passed(std::uint64_t now_ms) {
  if (!is_dormant() || settings_.start != Start::kSize ||
      now_ms < next_size_look_ms_.load(std::memory_order_relaxed)) {
    return false;
  }
  next_size_look_ms_.store(now_ms + kSizeLookMs, std::memory_order_relaxed);
  return snapshot::resident_set_bytes() >= settings_.start_rss_bytes;
}

// Who does not record yet takes no snapshot that would make its directory, and can be told to start
// only through the control page in it.
bool Agent::must_be_reachable() const {
  return state() != RecordingState::kRecording && !directory_.is_open() && !is_unreachable_ &&
         !is_short_lived();
}

void Agent::become_reachable() {
  is_unreachable_ = !open_recording();
  say_what_it_waits_for();
}

void Agent::say_what_it_waits_for() {
  format::ControlPage* control = directory_.control();
  if (control == nullptr || !is_dormant()) {
    return;
  }
  runtime::Text<sizeof(control->message)> message;
  message.add("recording has not begun: it begins with `seep start`");
  if (settings_.signal != 0) {
    message.add(", signal ").add_decimal(static_cast<unsigned>(settings_.signal));
  }
  if (settings_.start == Start::kSize) {
    message.add(", or when the resident size passes ");
    message.add_decimal(settings_.start_rss_bytes >> 20).add(" MB");
  }
  runtime::copy_text(control->message, sizeof(control->message), message.view());
}

}  // namespace seep::agent
