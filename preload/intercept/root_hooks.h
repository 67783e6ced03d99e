// Calls after which a path may lead elsewhere: another root, another space of mounts, a mount.
// Context: IN-HOOK.
#pragma once

namespace seep::intercept {

// Tells the agent where system call `number` with these first arguments is such a call. Before it.
void root_may_change(long number, long a, long b);

}  // namespace seep::intercept
