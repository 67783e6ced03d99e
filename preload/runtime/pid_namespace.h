// Whether a task that is made now lives in the same PID namespace as its maker. After
// unshare(CLONE_NEWPID) the first child is the init of the program's new namespace: when it ends,
// no fork there succeeds any more. So seep makes none. Context: IN-AGENT.
#pragma once

#include <atomic>

namespace seep::runtime {

// Of the calling thread. Where /proc does not tell, by what the hooks have seen.
bool children_share_pid_namespace();

// Set before a call of the program's that may lead its children elsewhere. Relaxed: the thread that
// makes the call asks afterwards.
inline constinit std::atomic<bool> g_pid_namespace_may_differ{false};

}  // namespace seep::runtime
