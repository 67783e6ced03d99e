// The tasks that seep makes beside the program: children of it, which waits for children of every
// kind (__WALL, __WCLONE) come upon. Context: IN-HOOK, IN-AGENT.
#pragma once

#include <atomic>

namespace seep::runtime {

// One task at a time. Any thread may ask; one at a time starts and forgets.
class OwnTask {
 public:
  // For clone(2) with CLONE_PARENT_SETTID: the kernel puts the id there before the task runs, so
  // that no thread comes upon an end that is not known yet.
  int* place_of_id() { return reinterpret_cast<int*>(&id_); }
  // True from the start until it has been reaped.
  [[nodiscard]] bool is_unreaped() const { return id_.load(std::memory_order_acquire) != 0; }
  // True while it runs; reaps it when it has ended.
  bool is_running();
  // For a wait of the program's that found `id`: true when that is this task, which is reaped when
  // it has ended.
  bool is_met(int id);
  // In a fork's child: it is the parent's.
  void forget() { id_.store(0, std::memory_order_relaxed); }

 private:
  // 0: none; negative: the program's wait found it and is reaping it. Release by who reaps, acquire
  // by who asks: an id that is free again may be that of a child of the program's.
  std::atomic<int> id_{0};
};

inline constinit OwnTask g_walker_task;
// Of the process, for a scan that no walker makes.
inline constinit OwnTask g_copy_task;
// That make the next, one for each limit.
inline constinit OwnTask g_command_tasks[2];
// That wait for commands of SEEP_ON_LIMIT: as long as the commands run.
inline constinit OwnTask g_watcher_tasks[2];

}  // namespace seep::runtime
