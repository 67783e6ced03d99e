// The environment that the program of `seep run` starts with: the library and its settings.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <string>

#include "analyzer/model/result.h"

namespace seep::launch {

struct TrackedEnvironment {
  std::string library;    // absolute path of libseep.so
  std::string directory;  // SEEP_DIR, with its % specifiers
  std::string program;    // %e
  std::uint64_t run_id = 0;
  std::time_t now = 0;                          // %t
  std::map<std::string, std::string> settings;  // SEEP_… variables given as options

  // The directory that recordings of a program started as `pid` go to; absolute.
  [[nodiscard]] std::string directory_for(pid_t pid) const;

  // Sets the variables in this process. To be called in the child, before exec.
  void apply(pid_t pid) const;
};

// `text` with %h (host), %p (pid), %e (program), %t (seconds since 1970) and %% replaced, as in
// core(5); another specifier is left out.
std::string expand(const std::string& text, const TrackedEnvironment& environment, pid_t pid);

// libseep.so: $SEEP_LIBRARY, else next to the directory that `seep` is in: ../lib, or where
// `cmake --install` puts libraries.
Result<std::string> find_library();

std::uint64_t new_run_id();

// 16 hex digits.
std::string text_of_run_id(std::uint64_t run_id);

}  // namespace seep::launch
