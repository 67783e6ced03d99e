#include "preload/agent/languages.h"

#include "preload/intercept/interpreters.h"
#include "preload/recorder/recorder.h"
#include "preload/script/script.h"
#include "preload/stack/modules.h"

namespace seep::agent {
namespace {

constinit bool g_told = false;  // of the refusal; as the agent's holder

}  // namespace

// Without the heap nothing is there to be put under a script's line.
void choose_languages(const Settings& settings) {
  if (settings.track_heap) {
    intercept::choose_languages(settings.languages);
  }
}

void look_for_interpreters() {
  recorder::look_at_every_call(recorder::recording() &&
                               intercept::look_for_interpreters(stack::generation()));
}

const char* take_script_refusal() {
  const char* why = script::refusal();
  if (why == nullptr || g_told) {
    return nullptr;
  }
  g_told = true;
  recorder::count_loss(format::Loss::script_frames_refused);
  return why;
}

}  // namespace seep::agent
