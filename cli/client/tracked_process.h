// Finds running processes that libseep.so tracks, also in other PID and mount namespaces: each maps
// its control page, so /proc/PID/maps names it and /proc/PID/root opens it. No ptrace. Thread safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "analyzer/model/result.h"
#include "format/control_page.h"

namespace seep::client {

struct TrackedProcess {
  pid_t pid = 0;  // as seen from here; page.pid is what it sees itself
  std::string name;
  std::string control_path;    // opens the page from here
  std::string recording;       // its recording, as a path that works from here; empty: was removed
  format::ControlPage page{};  // as it was when the process was found
};

// An error says in one sentence that the process is gone, not tracked or not ours.
Result<TrackedProcess> find_tracked(pid_t pid);

struct Survey {
  std::vector<TrackedProcess> processes;  // by PID
  std::size_t not_permitted = 0;          // processes of others that could not be looked at
};

Survey find_all_tracked();

}  // namespace seep::client
