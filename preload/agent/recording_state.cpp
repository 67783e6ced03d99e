#include "preload/agent/recording_state.h"

namespace seep::agent {

using Action = RecordingAction;
using Event = RecordingEvent;
using State = RecordingState;

RecordingStep next_step(State state, Event event) {
  switch (event) {
    case Event::kPause:
      return state == State::kRecording ? RecordingStep{State::kPaused, Action::kPause}
                                        : RecordingStep{state, Action::kNothing};
    case Event::kSize:
      // Only the beginning waits for a size: who pauses a process means it.
      return state == State::kDormant ? RecordingStep{State::kRecording, Action::kBegin}
                                      : RecordingStep{state, Action::kNothing};
    case Event::kStart:
    case Event::kSignal:
      break;
  }
  switch (state) {
    case State::kDormant:
      return {State::kRecording, Action::kBegin};
    case State::kPaused:
      return {State::kRecording, Action::kGoOn};
    case State::kRecording:
      break;
  }
  return {state, event == Event::kSignal ? Action::kSnapshot : Action::kNothing};
}

}  // namespace seep::agent
