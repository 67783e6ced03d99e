// The program that `seep run` is about to start: where it is, and whether it can be tracked.
// Decided by reading files, before anything is started. Thread safe.
#pragma once

#include <string>

namespace seep::launch {

struct FoundCommand {
  enum class Outcome { kFound, kNotFound, kNotExecutable };
  Outcome outcome = Outcome::kNotFound;
  std::string path;  // with kFound and kNotExecutable
};

// As execvp(3) looks a command up: a name with a slash is a path, any other is searched for in the
// directories of `search_path`, separated by colons (an empty one is the current directory).
FoundCommand find_command(const std::string& name, const std::string& search_path);

// The file whose code the kernel loads for `path`: the interpreter of a #! script (also of one that
// is itself a script), /bin/sh for text without #!, else `path`.
std::string loaded_program(const std::string& path);

// Why a preloaded library cannot record this program, as the end of a sentence that begins with its
// name: "is statically linked". Empty when it can, and when the file cannot be read.
std::string why_untracked(const std::string& program);

}  // namespace seep::launch
