// Whether a process records, and what changes that. Pure: a state and an event in, a step out.
//
//              start, signal, size                pause
//   kDormant ------------------------> kRecording -----> kPaused
//                                           ^  start, signal  |
//                                           +-----------------+
// Context: IN-AGENT.
#pragma once

#include <cstdint>

namespace seep::agent {

enum class RecordingState : std::uint8_t {
  kDormant,  // recording has not begun: nothing is known
  kRecording,
  kPaused,  // nothing is added; releases of what was recorded are still seen
};

enum class RecordingEvent : std::uint8_t {
  kStart,   // `seep start`
  kPause,   // `seep pause`
  kSignal,  // SEEP_SIGNAL
  kSize,    // the process has passed the size of SEEP_START=rss:SIZE
};

enum class RecordingAction : std::uint8_t {
  kNothing,   // it is as it was asked to be
  kSnapshot,  // take one
  kBegin,     // record from now on; what was allocated before stays unknown
  kGoOn,      // record again
  kPause,
};

struct RecordingStep {
  RecordingState next;
  RecordingAction action;
};

// What `event` means in `state`. A signal starts recording where there is none, and takes a
// snapshot where there is.
RecordingStep next_step(RecordingState state, RecordingEvent event);

}  // namespace seep::agent
