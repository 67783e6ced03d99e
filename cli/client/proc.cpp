#include "cli/client/proc.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace seep::client {
namespace {

std::string proc_path(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

// "7f00-7f01 rw-s 00000000 08:01 1234   /path with spaces"
MappedFile parse_mapping(const std::string& line) {
  std::istringstream fields(line);
  MappedFile file;
  std::string skipped;
  fields >> file.range >> skipped >> skipped >> skipped >> skipped >> std::ws;
  std::getline(fields, file.path);
  return file;
}

}  // namespace

std::optional<std::uint64_t> start_ticks(pid_t pid) {
  constexpr int kStartTime = 22;
  constexpr int kFirstAfterName = 3;
  std::ifstream file(proc_path(pid, "stat"));
  std::string line;
  if (!std::getline(file, line) || line.rfind(')') == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string field;
  for (int i = kFirstAfterName; i < kStartTime; ++i) {
    fields >> field;
  }
  std::uint64_t ticks = 0;
  return fields >> ticks ? std::optional(ticks) : std::nullopt;
}

pid_t innermost_pid(pid_t pid) {
  std::ifstream file(proc_path(pid, "status"));
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("NSpid:")) {
      std::istringstream fields(line.substr(6));
      for (pid_t next = 0; fields >> next;) {
        pid = next;
      }
      break;
    }
  }
  return pid;
}

std::string name_of(pid_t pid) {
  std::ifstream file(proc_path(pid, "comm"));
  std::string name;
  std::getline(file, name);
  return name;
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad == std::errc() && end == name.data() + name.size()) {
      pids.push_back(pid);
    }
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

MappedFiles mapped_files(pid_t pid, const std::string& part) {
  errno = 0;
  std::ifstream file(proc_path(pid, "maps"));
  MappedFiles found;
  if (!file) {
    found.outcome =
        errno == EACCES || errno == EPERM ? MapsOutcome::kNotPermitted : MapsOutcome::kGone;
    return found;
  }
  for (std::string line; std::getline(file, line);) {
    if (line.find(part) != std::string::npos) {
      found.files.push_back(parse_mapping(line));
    }
  }
  return found;
}

}  // namespace seep::client
