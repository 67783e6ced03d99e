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

// The second field of statm, which is cheaper to make for the kernel than status.
std::uint64_t resident_set_bytes() {
  char text[128];
  const long size = runtime::read_file(AT_FDCWD, "/proc/self/statm", text, sizeof(text));
  std::string_view rest(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  std::uint64_t pages = 0;
  if (!take_number(rest, 10, pages)) {  // the whole address space
    return 0;
  }
  skip_blanks(rest);
  return take_number(rest, 10, pages) ? pages * runtime::kPageBytes : 0;
}

}  // namespace seep::snapshot
