// Who this process is. Context: AT-INIT and after a fork; read-only otherwise.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/runtime/text.h"

namespace seep::agent {

struct Identity {
  std::uint32_t pid = 0;
  std::uint32_t host_pid = 0;  // in the outermost PID namespace that /proc shows; 0 unknown
  std::uint32_t parent_pid = 0;
  std::uint32_t uid = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t started_unix_ns = 0;
  std::uint64_t run_id = 0;
  bool started_directly = false;
  runtime::Path exe;  // absolute path of the program
  // The last component of the name it was started by, which a link may give (redis-server is one);
  // bytes unfit for a file name are replaced.
  runtime::Text<256> name;
  runtime::Text<65> host;
  runtime::Text<8192> command;  // arguments, each followed by a NUL; cut if longer
};

// Everything but the run, from /proc and the kernel.
void identify_process(Identity& identity);

// Takes the run from SEEP_RUN; makes a new one when it is unset or malformed.
void identify_run(std::string_view run_variable, Identity& identity);

std::uint32_t current_pid();
std::uint32_t current_uid();  // the effective one

// Inode of this process's PID namespace; 0 unknown. A pid means something only within one.
std::uint64_t pid_namespace();

// Field 22 of a /proc/PID/stat: when the process started, in clock ticks since boot; 0 when it is
// gone.
std::uint64_t start_ticks_at(const char* stat_path);

}  // namespace seep::agent
