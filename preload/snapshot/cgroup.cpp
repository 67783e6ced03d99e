#include "preload/snapshot/cgroup.h"

#include <fcntl.h>

#include "preload/runtime/file.h"

namespace seep::snapshot {
namespace {

using runtime::take_line;
using runtime::take_number;

std::uint64_t read_number(const runtime::Path& group, std::string_view file) {
  runtime::Path path;
  path.add(group.view()).add(file);
  char text[64];
  const long size = runtime::read_file(AT_FDCWD, path.c_str(), text, sizeof(text));
  std::uint64_t number = 0;
  std::string_view view(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  // Version 1 writes a number near 2^63 for "no limit", version 2 a word.
  return take_number(view, 10, number) && number < std::uint64_t{1} << 60 ? number : 0;
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

// The files of a control group: of version 2 or 1.
struct MemoryFiles {
  std::string_view limit;
  std::string_view usage;
};
constexpr MemoryFiles kFiles2{"/memory.max", "/memory.current"};
constexpr MemoryFiles kFiles1{"/memory.limit_in_bytes", "/memory.usage_in_bytes"};

// visit(group, files, limit) for `group`, a path below `root`, and each above it that has a limit.
// In a container its groups may be mounted as if they were the root: what is not there has none.
template <typename Visit>
void for_each_above(std::string_view root, std::string_view group, const MemoryFiles& files,
                    Visit&& visit) {
  while (true) {
    runtime::Path path;
    path.add(root).add(group);
    if (const std::uint64_t limit = read_number(path, files.limit); limit != 0) {
      visit(path, files, limit);
    }
    if (group.empty()) {
      return;
    }
    const std::size_t slash = group.rfind('/');
    group = group.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
}

// All that limit this process. Where version 1 has the memory, version 2 may be mounted beside it.
template <typename Visit>
void for_each_limit(const ControlGroups& groups, Visit&& visit) {
  constexpr std::string_view kMemory = ":memory:";
  runtime::Path root1;
  root1.add(groups.root).add("/memory");
  std::string_view rest = groups.memberships;
  std::string_view line;
  bool is_known = false;
  while (take_line(rest, line)) {
    if (line.substr(0, 3) == "0::") {
      is_known = true;
      for_each_above(groups.root, line.substr(3), kFiles2, visit);
    } else if (const std::size_t at = line.find(kMemory); at != std::string_view::npos) {
      is_known = true;
      for_each_above(root1.view(), line.substr(at + kMemory.size()), kFiles1, visit);
    }
  }
  if (!is_known) {  // /proc is not there
    for_each_above(groups.root, {}, kFiles2, visit);
    for_each_above(root1.view(), {}, kFiles1, visit);
  }
}

std::string_view read_memberships(char (&text)[4096]) {
  const long size = runtime::read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
  return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

std::uint64_t memory_limit(const ControlGroups& groups) {
  std::uint64_t least = 0;
  for_each_limit(groups, [&](const runtime::Path&, const MemoryFiles&, std::uint64_t limit) {
    least = least == 0 || limit < least ? limit : least;
  });
  return least;
}

std::uint64_t memory_headroom(const ControlGroups& groups) {
  std::uint64_t least = UINT64_MAX;
  for_each_limit(groups,
                 [&](const runtime::Path& group, const MemoryFiles& files, std::uint64_t limit) {
                   const std::uint64_t room = limit + reclaimable_bytes(group);
                   const std::uint64_t used = read_number(group, files.usage);
                   const std::uint64_t left = room > used ? room - used : 0;
                   least = left < least ? left : least;
                 });
  return least;
}

std::uint64_t cgroup_limit() {
  char text[4096];
  ControlGroups groups;
  groups.memberships = read_memberships(text);
  return memory_limit(groups);
}

std::uint64_t cgroup_headroom() {
  char text[4096];
  ControlGroups groups;
  groups.memberships = read_memberships(text);
  return memory_headroom(groups);
}

}  // namespace seep::snapshot
