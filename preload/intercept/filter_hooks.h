// What the program has told the kernel by prctl that the library must put back.
// Context: IN-HOOK, IN-AGENT.
#pragma once

namespace seep::intercept {

// Who may trace the program, as it last said by PR_SET_PTRACER (prctl(2)); 0: nobody in particular.
long chosen_tracer();

}  // namespace seep::intercept
