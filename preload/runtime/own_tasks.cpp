#include "preload/runtime/own_tasks.h"

#include <sys/wait.h>

#include "preload/runtime/syscall.h"

namespace seep::runtime {

bool OwnTask::is_running() {
  int id = id_.load(std::memory_order_acquire);
  if (id <= 0) {
    return false;
  }
  if (raw_syscall(__NR_wait4, id, 0, WNOHANG | __WALL, 0) == 0) {
    return true;
  }
  // Reaped now, or by a wait of the program's for this id.
  id_.compare_exchange_strong(id, 0, std::memory_order_release, std::memory_order_relaxed);
  return false;
}

// It is marked before it is reaped: afterwards its id may be another child's at once. That it was
// stopped, or goes on, is taken off the list of what there is to tell.
bool OwnTask::is_met(int id) {
  int expected = id;
  if (!id_.compare_exchange_strong(expected, -id, std::memory_order_acquire)) {
    return expected == -id;
  }
  int status = 0;
  const long result = raw_syscall(__NR_wait4, id, as_argument(&status),
                                  WNOHANG | WUNTRACED | WCONTINUED | __WALL, 0);
  const bool is_alive = result == 0 || (result == id && !WIFEXITED(status) && !WIFSIGNALED(status));
  expected = -id;
  id_.compare_exchange_strong(expected, is_alive ? id : 0, std::memory_order_release,
                              std::memory_order_relaxed);
  return true;
}

}  // namespace seep::runtime
