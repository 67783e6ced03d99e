#include "preload/agent/disk_budget.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "format/control_page.h"
#include "preload/agent/identity.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"

namespace seep::agent {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

struct DirectoryEntry {  // struct linux_dirent64
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t bytes;
  std::uint8_t type;
  char name[1];
};

// Calls visit(name, type) for each entry of a directory but "." and "..".
template <typename Visit>
void for_each_entry(int directory, Visit&& visit) {
  alignas(8) char buffer[4096];
  long size;
  while ((size = raw_syscall(__NR_getdents64, directory, as_argument(buffer), sizeof(buffer))) >
         0) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      at += entry->bytes;
      const std::string_view name = runtime::view_of(entry->name);
      if (name != "." && name != "..") {
        visit(entry->name, entry->type);
      }
    }
  }
}

struct Usage {
  std::uint64_t bytes = 0;
  std::uint64_t newest = 0;  // time of the last change, seconds
};

Usage usage_of(int recording) {
  Usage usage;
  for_each_entry(recording, [&](const char* name, unsigned char) {
    struct stat status;
    if (raw_syscall(__NR_newfstatat, recording, as_argument(name), as_argument(&status),
                    AT_SYMLINK_NOFOLLOW) == 0) {
      usage.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
      const auto changed = static_cast<std::uint64_t>(status.st_mtim.tv_sec);
      usage.newest = changed > usage.newest ? changed : usage.newest;
    }
  });
  return usage;
}

bool process_runs(std::uint32_t pid, std::uint64_t start_ticks) {
  runtime::Text<64> path;
  path.add("/proc/").add_decimal(pid).add("/stat");
  return start_ticks_at(path.c_str()) == start_ticks;
}

// False when there is none. The recording may be another user's, and anything stand in place of the
// page: no link is followed, and no FIFO waited for.
bool read_control_page(int recording, format::ControlPage& page) {
  const int file =
      runtime::open_file(recording, format::kControlFileName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) {
    return false;
  }
  const long bytes = runtime::read_all(file, &page, sizeof(page));
  runtime::close_file(file);
  return bytes == static_cast<long>(sizeof(page)) &&
         memcmp(page.magic, format::kControlMagic, sizeof(page.magic)) == 0;
}

// Its process said that it had ended, or is gone. Whether a process of another PID namespace
// (another container that shares the directory) is gone cannot be told from here.
bool is_finished(int recording) {
  format::ControlPage page;
  if (!read_control_page(recording, page)) {
    return false;
  }
  return page.state == static_cast<std::uint32_t>(format::AgentState::kEnded) ||
         (page.pid_namespace == pid_namespace() && !process_runs(page.pid, page.start_ticks));
}

struct Candidate {
  runtime::Text<300> name;
  std::uint64_t bytes = 0;
  std::uint64_t newest = 0;
};

// What the directory holds, and the oldest of its finished recordings, oldest first.
struct Survey {
  static constexpr unsigned kMostCandidates = 32;
  std::uint64_t bytes = 0;
  unsigned count = 0;
  Candidate oldest[kMostCandidates];

  void add_candidate(const char* name, const Usage& usage) {
    if (count == kMostCandidates && oldest[count - 1].newest <= usage.newest) {
      return;
    }
    unsigned at = count < kMostCandidates ? count++ : count - 1;
    for (; at != 0 && oldest[at - 1].newest > usage.newest; --at) {
      oldest[at] = oldest[at - 1];
    }
    oldest[at].name.clear();
    oldest[at].name.add(runtime::view_of(name));
    oldest[at].bytes = usage.bytes;
    oldest[at].newest = usage.newest;
  }
};

void survey(int base, std::string_view own_name, Survey& result) {
  for_each_entry(base, [&](const char* name, unsigned char type) {
    if (type != DT_DIR) {
      return;
    }
    const int recording = runtime::open_file(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (recording < 0) {
      return;
    }
    const Usage usage = usage_of(recording);
    result.bytes += usage.bytes;
    if (runtime::view_of(name) != own_name && is_finished(recording)) {
      result.add_candidate(name, usage);
    }
    runtime::close_file(recording);
  });
}

bool remove_recording(int base, const char* name) {
  const int recording = runtime::open_file(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (recording < 0) {
    return false;
  }
  for_each_entry(recording, [&](const char* file, unsigned char) {
    raw_syscall(__NR_unlinkat, recording, as_argument(file), 0);
  });
  runtime::close_file(recording);
  return raw_syscall(__NR_unlinkat, base, as_argument(name), AT_REMOVEDIR) == 0;
}

std::uint64_t allowed_bytes(int base, std::uint64_t budget_bytes) {
  struct statfs file_system;
  if (raw_syscall(__NR_fstatfs, base, as_argument(&file_system)) != 0) {
    return budget_bytes;
  }
  const std::uint64_t share = static_cast<std::uint64_t>(file_system.f_bavail) *
                              static_cast<std::uint64_t>(file_system.f_bsize) / 10;
  return share < budget_bytes ? share : budget_bytes;
}

}  // namespace

unsigned enforce_budget(const char* base, std::string_view own_name, std::uint64_t budget_bytes) {
  const int directory = runtime::open_file(AT_FDCWD, base, O_RDONLY | O_DIRECTORY);
  if (directory < 0) {
    return 0;
  }
  Survey found;
  survey(directory, own_name, found);
  const std::uint64_t allowed = allowed_bytes(directory, budget_bytes);
  unsigned removed = 0;
  for (unsigned i = 0; i < found.count && found.bytes > allowed; ++i) {
    if (remove_recording(directory, found.oldest[i].name.c_str())) {
      found.bytes -= found.oldest[i].bytes;
      ++removed;
    }
  }
  runtime::close_file(directory);
  return removed;
}

}  // namespace seep::agent
