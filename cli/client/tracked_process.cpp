#include "cli/client/tracked_process.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>

#include "cli/client/control_file.h"
#include "cli/client/proc.h"

namespace seep::client {
namespace {

bool same_file(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// A forked child maps its parent's page until it has made its own, so the page must name the
// process itself.
std::optional<TrackedProcess> open_page(pid_t pid, const std::string& path) {
  std::optional<format::ControlPage> page = read_control_file(path);
  if (!page || static_cast<pid_t>(page->pid) != innermost_pid(pid) ||
      page->start_ticks != start_ticks(pid)) {
    return std::nullopt;
  }
  return TrackedProcess{pid, name_of(pid), path, {}, *page};
}

// The plain path where it is the same file, since that is what a user can type.
std::optional<TrackedProcess> open_mapped(pid_t pid, const MappedFile& file) {
  const std::string through_root = fmt::format("/proc/{}/root{}", pid, file.path);
  if (auto found = open_page(pid, through_root)) {
    found->recording = parent_of(same_file(file.path, through_root) ? file.path : through_root);
    return found;
  }
  if (auto found = open_page(pid, file.path)) {  // a chroot: maps names it from our root
    found->recording = parent_of(file.path);
    return found;
  }
  return open_page(pid, fmt::format("/proc/{}/map_files/{}", pid, file.range));
}

const std::string& control_suffix() {
  static const std::string suffix = std::string("/") + format::kControlFileName;
  return suffix;
}

std::optional<TrackedProcess> find_page(pid_t pid, const std::vector<MappedFile>& files) {
  for (const MappedFile& file : files) {
    if (auto found = open_mapped(pid, file)) {
      return found;
    }
  }
  return std::nullopt;
}

std::vector<MappedFile> control_mappings(const MappedFiles& maps) {
  std::vector<MappedFile> files;
  for (const MappedFile& file : maps.files) {
    const std::string path = file.path.substr(0, file.path.rfind(" (deleted)"));
    if (path.ends_with(control_suffix())) {
      files.push_back({file.range, path});
    }
  }
  return files;
}

Error problem(std::string what, std::string advice) {
  return Error{ErrorKind::kBadInput, {}, {}, {}, std::move(what), std::move(advice)};
}

Error gone(pid_t pid) {
  return problem(fmt::format("there is no process {}", pid), "`seep status` lists what is tracked");
}

Error not_permitted(pid_t pid) {
  return problem(
      fmt::format("process {} ({}) may not be looked at by this user", pid, name_of(pid)),
      "run this as its user or as root");
}

Error not_tracked(pid_t pid, bool library_is_loaded) {
  const std::string who = fmt::format("process {} ({})", pid, name_of(pid));
  if (library_is_loaded) {
    return problem(who + " has libseep.so loaded but records nothing",
                   "seep.log in its SEEP_DIR says why");
  }
  return problem(who + " is not tracked", "start it with `seep run -- CMD`");
}

}  // namespace

Result<TrackedProcess> find_tracked(pid_t pid) {
  const MappedFiles maps = mapped_files(pid, control_suffix());
  if (!start_ticks(pid) || maps.outcome == MapsOutcome::kGone) {
    return gone(pid);
  }
  if (maps.outcome == MapsOutcome::kNotPermitted) {
    return not_permitted(pid);
  }
  if (auto found = find_page(pid, control_mappings(maps))) {
    return *found;
  }
  return not_tracked(pid, !mapped_files(pid, "/libseep.so").files.empty());
}

Survey find_all_tracked() {
  Survey survey;
  for (const pid_t pid : all_pids()) {
    const MappedFiles maps = mapped_files(pid, control_suffix());
    survey.not_permitted += maps.outcome == MapsOutcome::kNotPermitted ? 1 : 0;
    if (auto found = find_page(pid, control_mappings(maps))) {
      survey.processes.push_back(std::move(*found));
    }
  }
  return survey;
}

}  // namespace seep::client
