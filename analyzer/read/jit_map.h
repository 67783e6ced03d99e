// Names for code that a process made at run time: the map that compilers write for perf(1), a file
// /tmp/perf-PID.map with lines of address, size (both hexadecimal) and name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/model/snapshot.h"

namespace seep::read {

// A piece of code. `code` tells function, file and line as far as the map's name does.
struct JitCode {
  std::uint64_t begin = 0;  // addresses, half-open
  std::uint64_t end = 0;
  model::ScriptFrame code;
};

// Ascending and disjoint. Code moves and is freed: where two lines name one address, the later one
// is believed. Lines that are none are passed over; so are those without their end, and all beyond
// a million.
std::vector<JitCode> parse_jit_map(std::string_view text);

// The parts of a name. Known are those of V8 ("JS:*handle /srv/app.js:10:21") and CPython
// ("py::handle:/srv/app.py"); any other is a function as it stands.
model::ScriptFrame parse_jit_name(std::string_view name);

// Frames in no module that the map names become frames of a script of language kJit.
void name_jit_frames(model::Stacks& stacks, const std::vector<JitCode>& map);

// The map of a process: what it left in its recording `directory`, or, while it runs (`is_running`
// on this machine), what it has written by now in its own /tmp. Empty where there is none, or what
// is there is no regular file of the process's user or root. At most 64 MB are read.
std::vector<JitCode> read_jit_map(const std::string& directory, const model::ProcessInfo& process,
                                  bool is_running);

}  // namespace seep::read
