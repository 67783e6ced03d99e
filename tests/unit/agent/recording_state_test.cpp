#include "preload/agent/recording_state.h"

#include <gtest/gtest.h>

#include <tuple>

namespace seep::agent {
namespace {

using Action = RecordingAction;
using Event = RecordingEvent;
using State = RecordingState;

struct Case {
  State state;
  Event event;
  State next;
  Action action;
};

constexpr Case kCases[] = {
    {State::kDormant, Event::kStart, State::kRecording, Action::kBegin},
    {State::kDormant, Event::kPause, State::kDormant, Action::kNothing},
    {State::kDormant, Event::kSignal, State::kRecording, Action::kBegin},
    {State::kDormant, Event::kSize, State::kRecording, Action::kBegin},
    {State::kRecording, Event::kStart, State::kRecording, Action::kNothing},
    {State::kRecording, Event::kPause, State::kPaused, Action::kPause},
    {State::kRecording, Event::kSignal, State::kRecording, Action::kSnapshot},
    {State::kRecording, Event::kSize, State::kRecording, Action::kNothing},
    {State::kPaused, Event::kStart, State::kRecording, Action::kGoOn},
    {State::kPaused, Event::kPause, State::kPaused, Action::kNothing},
    {State::kPaused, Event::kSignal, State::kRecording, Action::kGoOn},
    {State::kPaused, Event::kSize, State::kPaused, Action::kNothing},
};

TEST(RecordingState, EveryEventInEveryState) {
  for (const Case& expected : kCases) {
    const RecordingStep step = next_step(expected.state, expected.event);
    EXPECT_EQ(std::tuple(step.next, step.action), std::tuple(expected.next, expected.action))
        << "state " << static_cast<int>(expected.state) << ", event "
        << static_cast<int>(expected.event);
  }
}

// What was recorded must be seen released: once begun, there is no way back to dormant.
TEST(RecordingState, NothingLeadsBackToDormant) {
  for (const State state : {State::kRecording, State::kPaused}) {
    for (const Event event : {Event::kStart, Event::kPause, Event::kSignal, Event::kSize}) {
      EXPECT_NE(next_step(state, event).next, State::kDormant);
    }
  }
}

}  // namespace
}  // namespace seep::agent
