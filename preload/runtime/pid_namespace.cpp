#include "preload/runtime/pid_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "preload/runtime/syscall.h"

namespace seep::runtime {
namespace {

constexpr char kOwn[] = "/proc/thread-self/ns/pid";
constexpr char kOfChildren[] = "/proc/thread-self/ns/pid_for_children";

long look(const char* path, struct stat& status, int flags) {
  return raw_syscall(__NR_newfstatat, AT_FDCWD, as_argument(path), as_argument(&status), flags);
}

}  // namespace

// A namespace without an init yet is a link that leads nowhere. Linux before 4.12 has none.
bool children_share_pid_namespace() {
  struct stat own;
  struct stat children;
  if (look(kOwn, own, 0) == 0) {
    const long result = look(kOfChildren, children, 0);
    if (result == 0) {
      return own.st_ino == children.st_ino && own.st_dev == children.st_dev;
    }
    if (result == -ENOENT && look(kOfChildren, children, AT_SYMLINK_NOFOLLOW) == 0) {
      return false;
    }
  }
  return !g_pid_namespace_may_differ.load(std::memory_order_relaxed);
}

}  // namespace seep::runtime
