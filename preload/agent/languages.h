// Script stacks, as the agent sees them (SEEP_LANG). Context: AT-INIT, IN-HOOK, IN-FORK-CHILD and
// IN-AGENT, as each function says.
#pragma once

#include <cstdint>

#include "preload/agent/settings.h"
#include "preload/snapshot/accounting.h"

namespace seep::agent {

// AT-INIT, before recording begins.
void choose_languages(const Settings& settings);

// IN-HOOK, at each look at the clock: interpreters that have started are read from now on.
void look_for_interpreters();

// IN-FORK-CHILD.
void recover_languages_after_fork();

// IN-AGENT: requests that an interpreter has served in this process.
std::uint64_t served_requests();

// IN-AGENT: the limit of the cgroup, and an interpreter's own beside it.
snapshot::KnownLimits known_limits(std::uint64_t cgroup_bytes);

// IN-AGENT: why the stacks of the interpreter are not read, the first time that it is asked for;
// null where there is nothing to tell. Counts the loss.
const char* take_script_refusal();

}  // namespace seep::agent
