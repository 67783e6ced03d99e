#include "preload/snapshot/accounting.h"

#include <fcntl.h>

#include <string_view>

#include "preload/runtime/arena.h"
#include "preload/runtime/file.h"
#include "preload/runtime/text.h"

namespace seep::snapshot {
namespace {

using runtime::skip_blanks;
using runtime::take_line;
using runtime::take_number;

// The value of "Name:   123 kB" in bytes; 0 when there is no such line.
std::uint64_t status_bytes(std::string_view status, std::string_view name) {
  std::string_view line;
  while (take_line(status, line)) {
    if (line.substr(0, name.size()) == name && line.size() > name.size() &&
        line[name.size()] == ':') {
      line.remove_prefix(name.size() + 1);
      skip_blanks(line);
      std::uint64_t kilobytes = 0;
      return take_number(line, 10, kilobytes) ? kilobytes * 1024 : 0;
    }
  }
  return 0;
}

std::uint64_t saturated_difference(std::uint64_t value, std::uint64_t taken) {
  return value > taken ? value - taken : 0;
}

// The soft limit in a line such as "Max data size    1048576    unlimited    bytes"; 0 for none.
std::uint64_t soft_limit(std::string_view limits, std::string_view name) {
  std::string_view line;
  while (take_line(limits, line)) {
    if (line.substr(0, name.size()) == name) {
      line.remove_prefix(name.size());
      skip_blanks(line);
      std::uint64_t bytes = 0;
      return take_number(line, 10, bytes) ? bytes : 0;
    }
  }
  return 0;
}

// The program may change them at any time.
void read_process_limits(format::AccountingRecord& record) {
  char text[2048];
  const long size = runtime::read_file(AT_FDCWD, "/proc/self/limits", text, sizeof(text));
  const std::string_view limits(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  record.address_limit_bytes = soft_limit(limits, "Max address space");
  record.data_limit_bytes = soft_limit(limits, "Max data size");
}

std::uint64_t read_limit(const char* path) {
  char text[64];
  const long size = runtime::read_file(AT_FDCWD, path, text, sizeof(text));
  std::uint64_t limit = 0;
  std::string_view view(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  // cgroup v1 writes a number near 2^63 for "no limit".
  return take_number(view, 10, limit) && limit < std::uint64_t{1} << 60 ? limit : 0;
}

// The files of a control group: of version 2 or 1.
struct MemoryFiles {
  std::string_view limit;
  std::string_view usage;
};
constexpr MemoryFiles kFiles2{"/memory.max", "/memory.current"};
constexpr MemoryFiles kFiles1{"/memory.limit_in_bytes", "/memory.usage_in_bytes"};

// Where the group of this process has its files; false where it has no limit.
bool find_group(runtime::Path& group, MemoryFiles& files, std::uint64_t& limit) {
  const auto has_limit = [&] {
    runtime::Path path;
    limit = read_limit(path.add(group.view()).add(files.limit).c_str());
    return limit != 0;
  };
  char text[4096];
  const long size = runtime::read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
  std::string_view groups(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  std::string_view line;
  while (take_line(groups, line)) {
    group.clear();
    if (line.substr(0, 3) == "0::") {
      group.add("/sys/fs/cgroup").add(line.substr(3));
      files = kFiles2;
    } else if (const std::size_t at = line.find(":memory:"); at != std::string_view::npos) {
      group.add("/sys/fs/cgroup/memory").add(line.substr(at + 8));
      files = kFiles1;
    } else {
      continue;
    }
    if (has_limit()) {
      return true;
    }
  }
  group.clear();
  group.add("/sys/fs/cgroup");  // inside a container
  files = kFiles2;
  if (has_limit()) {
    return true;
  }
  group.add("/memory");
  files = kFiles1;
  return has_limit();
}

// "inactive_file 123" of the group's memory.stat.
std::uint64_t reclaimable_bytes(const runtime::Path& group) {
  char text[8192];
  runtime::Path path;
  path.add(group.view()).add("/memory.stat");
  const long size = runtime::read_file(AT_FDCWD, path.c_str(), text, sizeof(text));
  std::string_view rest(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  constexpr std::string_view kName = "inactive_file ";
  std::string_view line;
  while (take_line(rest, line)) {
    std::uint64_t bytes = 0;
    if (line.substr(0, kName.size()) == kName) {
      line.remove_prefix(kName.size());
      return take_number(line, 10, bytes) ? bytes : 0;
    }
  }
  return 0;
}

}  // namespace

format::AccountingRecord account(std::uint64_t tracked_bytes, std::uint64_t mmap_bytes,
                                 const KnownLimits& known) {
  char text[4096];
  const long size = runtime::read_file(AT_FDCWD, "/proc/self/status", text, sizeof(text));
  const std::string_view status(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  format::AccountingRecord record{};
  record.rss_bytes = status_bytes(status, "VmRSS");
  record.file_bytes = status_bytes(status, "RssFile");
  record.shared_bytes = status_bytes(status, "RssShmem");
  record.stack_bytes = status_bytes(status, "VmStk");
  record.tracked_live_bytes = tracked_bytes;
  record.mmap_bytes = mmap_bytes;
  record.tracker_bytes = runtime::resident_bytes();
  record.limit_bytes = known.limit_bytes;
  record.script_limit_bytes = known.script_limit_bytes;
  record.script_real_bytes = known.script_real_bytes;
  record.script_peak_bytes = known.script_peak_bytes;
  record.script_used_bytes = known.script_used_bytes;
  record.address_bytes = status_bytes(status, "VmSize");
  record.data_bytes = status_bytes(status, "VmData");
  read_process_limits(record);
  const std::uint64_t anonymous = status_bytes(status, "RssAnon");
  const std::uint64_t explained = tracked_bytes + record.stack_bytes + record.tracker_bytes;
  record.allocator_retained_bytes = saturated_difference(anonymous, explained);
  record.other_bytes =
      saturated_difference(record.rss_bytes, anonymous + record.file_bytes + record.shared_bytes);
  return record;
}

std::uint64_t cgroup_limit() {
  runtime::Path group;
  MemoryFiles files;
  std::uint64_t limit = 0;
  return find_group(group, files, limit) ? limit : 0;
}

std::uint64_t cgroup_headroom() {
  runtime::Path group;
  MemoryFiles files;
  std::uint64_t limit = 0;
  if (!find_group(group, files, limit)) {
    return UINT64_MAX;
  }
  runtime::Path path;
  const std::uint64_t used = read_limit(path.add(group.view()).add(files.usage).c_str());
  return saturated_difference(limit + reclaimable_bytes(group), used);
}

}  // namespace seep::snapshot
