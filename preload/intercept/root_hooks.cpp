#include "preload/intercept/root_hooks.h"

#include <sched.h>
#include <sys/syscall.h>

#include "preload/intercept/process_events.h"
#include "preload/intercept/real_functions.h"
#include "preload/runtime/pid_namespace.h"

namespace seep::intercept {
namespace {

void tell() {
  if (g_process_events.on_root_change != nullptr) {
    g_process_events.on_root_change();
  }
}

}  // namespace

void root_may_change(long number, long a, long b) {
  const bool may_change = number == __NR_chroot || number == __NR_pivot_root ||
                          number == __NR_mount ||
                          (number == __NR_unshare && (a & CLONE_NEWNS) != 0) ||
                          (number == __NR_setns && (b == 0 || (b & CLONE_NEWNS) != 0));
  if (may_change) {
    tell();
  }
  if ((number == __NR_unshare && (a & CLONE_NEWPID) != 0) ||
      (number == __NR_setns && (b == 0 || (b & CLONE_NEWPID) != 0))) {
    runtime::g_pid_namespace_may_differ.store(true, std::memory_order_relaxed);
  }
}

SEEP_EXPORT int chroot(const char* path) {
  root_may_change(__NR_chroot, 0, 0);
  return real().chroot(path);
}

SEEP_EXPORT int pivot_root(const char* root, const char* put_old) {
  root_may_change(__NR_pivot_root, 0, 0);
  return real().pivot_root(root, put_old);
}

SEEP_EXPORT int mount(const char* source, const char* target, const char* type, unsigned long flags,
                      const void* data) {
  root_may_change(__NR_mount, 0, 0);
  return real().mount(source, target, type, flags, data);
}

SEEP_EXPORT int unshare(int flags) {
  root_may_change(__NR_unshare, flags, 0);
  return real().unshare(flags);
}

SEEP_EXPORT int setns(int fd, int kind) {
  root_may_change(__NR_setns, fd, kind);
  return real().setns(fd, kind);
}

}  // namespace seep::intercept
