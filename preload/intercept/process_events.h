// What the process hooks tell the agent, through function pointers that it registers: intercept/
// does not know the agent. Context: AT-INIT for registering, IN-HOOK for calling.
#pragma once

#include "format/snapshot_format.h"

namespace seep::intercept {

struct ExitEvent {
  format::End how = format::End::kExit;
  int status = 0;
  const char* function = "exit";  // what ended it: "main", "exit", "_exit", "execve", …
};

// The program asks for a snapshot (include/seep.h).
struct MarkEvent {
  format::Trigger trigger = format::Trigger::kMark;
  const char* label = nullptr;  // may be null
  bool has_units = false;
  std::uint64_t units = 0;  // done since the start
};

struct ProcessEventHandlers {
  void (*on_main)() = nullptr;                        // main is about to run
  void (*on_exit)(const ExitEvent& event) = nullptr;  // an exit or exec begins
  void (*on_exec_failed)() = nullptr;                 // it did not happen after all
  void (*on_fork)() = nullptr;                        // before one, while no lock of libc is held
  void (*on_fork_child)() = nullptr;                  // in the child, before fork returns
  // Before a path may lead elsewhere: chroot, another space of mounts, a mount.
  void (*on_root_change)() = nullptr;
  // A filter of system calls is about to be installed, which lets the calls of a snapshot through
  // or not; false: by a child that only uses our memory.
  bool (*on_filter)(bool allows_snapshots) = nullptr;
  void (*on_mark)(const MarkEvent& event) = nullptr;
  // An interpreter that the process runs is about to free what its script has left.
  // True: what it frees stays recorded.
  bool (*on_script_end)() = nullptr;
  // A script has come to its end, and what it holds is about to be taken down.
  void (*on_script_shutdown)() = nullptr;
  // The program asks whether memory is lost, now; `is_last`: not again at exit.
  bool (*on_leak_check)(bool is_last) = nullptr;
};

extern ProcessEventHandlers g_process_events;

}  // namespace seep::intercept
