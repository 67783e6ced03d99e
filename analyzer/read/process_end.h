// How a process image ended, when its last snapshot does not say.
#pragma once

#include <string>

#include "analyzer/model/snapshot.h"

namespace seep::read {

// What the last snapshot says; else what the file `ended` in `directory` says; else running when
// the process still exists (by its start time, so a reused PID is told apart); else lost.
model::EndInfo find_end(const model::EndInfo& last, const model::ProcessInfo& process,
                        const std::string& directory);

// "exit 0" or "signal 9"; unset for anything else.
std::optional<model::EndInfo> parse_ended(const std::string& line);

// Field 22 of a line of /proc/PID/stat; unset when the line is none or is of a zombie. The name of
// the program may hold spaces and parentheses.
std::optional<std::uint64_t> parse_start_ticks(const std::string& line);

}  // namespace seep::read
