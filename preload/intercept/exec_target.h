// Programs that a preload must not enter: of another word size or machine (the loader complains),
// of musl (cannot load it and ends), linked with AddressSanitizer's library (which ends when it is
// not the first). A process that is tracked may exec one: libseep.so is taken out of the
// environment that it gets.
// Context: IN-HOOK, also in the child of a vfork: nothing is written but the stack.
#pragma once

#include <cstddef>

namespace seep::intercept {

// What exec was given: a path, or a name that is looked up in PATH.
enum class Lookup { kPath, kSearch };

// Bytes that environment_without_seep needs; 0 where the program can take the preload, cannot be
// read, or gets none anyway. Reads the head of the file, and those of interpreters of scripts.
std::size_t bytes_to_keep_seep_out(const char* program, Lookup lookup, char* const* environment);
// The same for an open file.
std::size_t bytes_to_keep_seep_out(int fd, char* const* environment);

// A copy of `environment` in `memory` whose LD_PRELOAD does not name libseep.so.
char* const* environment_without_seep(char* const* environment, void* memory);

}  // namespace seep::intercept
