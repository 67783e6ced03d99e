#include "preload/runtime/syscall.h"

#include <errno.h>
#include <signal.h>

#include "preload/runtime/call_filter.h"

namespace seep::runtime {
namespace {

constexpr std::uint64_t kFileSizeSignal = std::uint64_t{1} << (SIGXFSZ - 1);

bool is_pending(std::uint64_t signals) {
  std::uint64_t pending = 0;
  enter_kernel(__NR_rt_sigpending, as_argument(&pending), sizeof(pending));
  return (pending & signals) != 0;
}

// The kernel raises SIGXFSZ before it refuses the write. One that the program had pending stays.
[[gnu::noinline]] long write_quietly(long fd, long data, long size) {
  const bool was_pending = is_pending(kFileSizeSignal);
  const long result = enter_kernel(__NR_write, fd, data, size);
  if (result == -EFBIG && !was_pending && is_pending(kFileSizeSignal)) {
    const struct { long seconds, nanoseconds; } at_once{0, 0};
    enter_kernel(__NR_rt_sigtimedwait, as_argument(&kFileSizeSignal), 0, as_argument(&at_once),
                 sizeof(kFileSizeSignal));
  }
  return result;
}

}  // namespace

long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (g_calls_are_filtered.load(std::memory_order_acquire) &&
      !is_harmless({number, {a, b, c, d, e, f}})) {
    return -EPERM;
  }
  return number == __NR_write ? write_quietly(a, b, c) : enter_kernel(number, a, b, c, d, e, f);
}

}  // namespace seep::runtime
