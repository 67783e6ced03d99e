#include "preload/agent/jit_map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "format/recording_layout.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"

namespace seep::agent {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

constexpr char kTemporaryName[] = "perf.map.tmp";
constexpr std::uint64_t kNsPerS = 1000000000;
// File times are those of the kernel's tick.
constexpr std::uint64_t kClockSlackNs = kNsPerS;

JitMapCopy judge(int file, const JitMapOrder& order) {
  struct stat status;
  if (raw_syscall(__NR_fstat, file, as_argument(&status)) != 0) {
    return JitMapCopy::kFailed;
  }
  if (!S_ISREG(status.st_mode)) {
    return JitMapCopy::kNotAFile;
  }
  if ((status.st_uid != order.user && status.st_uid != 0) || status.st_nlink > 1) {
    return JitMapCopy::kNotOurs;
  }
  const std::uint64_t written = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * kNsPerS +
                                static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
  return written + kClockSlackNs < order.since_unix_ns ? JitMapCopy::kStale : JitMapCopy::kDone;
}

// The compiler may write on meanwhile: the end is where a read finds it.
JitMapCopy copy_bytes(int from, int to, std::size_t most) {
  char buffer[16384];
  std::size_t left = most;
  while (true) {
    const long got = runtime::read_all(from, buffer, std::min(left, sizeof(buffer)));
    if (got < 0 || runtime::write_all(to, buffer, static_cast<std::size_t>(got)) != 0) {
      return JitMapCopy::kFailed;
    }
    left -= static_cast<std::size_t>(got);
    if (got == 0) {
      return left == 0 ? JitMapCopy::kCut : JitMapCopy::kDone;
    }
  }
}

JitMapCopy write_copy(int from, const JitMapOrder& order) {
  const int to = runtime::open_file(order.directory, kTemporaryName,
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (to < 0) {
    return JitMapCopy::kFailed;
  }
  JitMapCopy result = copy_bytes(from, to, order.most_bytes);
  runtime::close_file(to);
  if (result != JitMapCopy::kFailed &&
      raw_syscall(__NR_renameat, order.directory, as_argument(kTemporaryName), order.directory,
                  as_argument(format::kJitMapFileName)) != 0) {
    result = JitMapCopy::kFailed;
  }
  if (result == JitMapCopy::kFailed) {
    raw_syscall(__NR_unlinkat, order.directory, as_argument(kTemporaryName), 0);
  }
  return result;
}

}  // namespace

JitMapCopy copy_jit_map(const JitMapOrder& order) {
  const int from = runtime::open_file(AT_FDCWD, order.source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (from < 0) {
    return from == -ENOENT  ? JitMapCopy::kNone
           : from == -ELOOP ? JitMapCopy::kNotAFile
                            : JitMapCopy::kFailed;
  }
  JitMapCopy result = judge(from, order);
  if (result == JitMapCopy::kDone) {
    result = write_copy(from, order);
  }
  runtime::close_file(from);
  return result;
}

runtime::Text<64> jit_map_path(std::uint32_t pid) {
  runtime::Text<64> path;
  path.add("/tmp/perf-").add_decimal(pid).add(".map");
  return path;
}

std::string_view meaning_of(JitMapCopy copy) {
  switch (copy) {
    case JitMapCopy::kNone:
    case JitMapCopy::kDone:
      return {};
    case JitMapCopy::kCut:
      return "is larger than 64 MB: its beginning is kept";
    case JitMapCopy::kNotAFile:
      return "is no regular file: compiled code has no names";
    case JitMapCopy::kNotOurs:
      return "belongs to another user: compiled code has no names";
    case JitMapCopy::kStale:
      return "is of an earlier process: compiled code has no names";
    case JitMapCopy::kFailed:
      break;
  }
  return "cannot be copied: compiled code has no names";
}

}  // namespace seep::agent
