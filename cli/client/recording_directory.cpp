#include "cli/client/recording_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cli/client/control_file.h"
#include "cli/client/proc.h"
#include "format/recording_layout.h"

namespace seep::client {
namespace {

namespace fs = std::filesystem;

bool is_seep_file(const std::string& name) {
  return name == format::kControlFileName || name == format::kEndedFileName ||
         name.starts_with(format::kSnapshotPrefix);
}

std::uint64_t disk_bytes(const std::string& path) {
  struct stat status {};
  constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks, always
  return lstat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * kBlock
                                           : 0;
}

bool matches(pid_t pid, const format::ControlPage& page) {
  return start_ticks(pid) == page.start_ticks && innermost_pid(pid) == static_cast<pid_t>(page.pid);
}

// The inode of the initial PID namespace, from which all processes can be seen (PROC_PID_INIT_INO).
constexpr std::uint64_t kInitialNamespace = 0xEFFFFFFC;

std::uint64_t own_pid_namespace() {
  struct stat status {};
  return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

// Inside a container the processes of other namespaces cannot be seen: one of them that did not say
// that it ended may still run.
bool may_be_out_of_sight(const format::ControlPage& page) {
  const std::uint64_t own = own_pid_namespace();
  return own != kInitialNamespace && page.pid_namespace != 0 && page.pid_namespace != own &&
         page.state != static_cast<std::uint32_t>(format::AgentState::kEnded);
}

}  // namespace

std::optional<RecordingDirectory> look_at_recording(const std::string& path) {
  std::error_code error;
  const std::string control = path + "/" + format::kControlFileName;
  if (!fs::is_directory(fs::symlink_status(path, error)) ||
      !fs::is_regular_file(fs::symlink_status(control, error))) {
    return std::nullopt;
  }
  const std::optional<format::ControlPage> page = read_control_file(control);
  if (!page) {
    return std::nullopt;
  }
  RecordingDirectory recording{path, *page, 0, fs::last_write_time(control, error)};
  for (const auto& entry : fs::directory_iterator(path, error)) {
    recording.bytes += disk_bytes(entry.path().string());
    std::error_code vanished;
    const auto written = fs::last_write_time(entry.path(), vanished);
    if (!vanished) {
      recording.last_written = std::max(recording.last_written, written);
    }
  }
  return recording;
}

std::vector<RecordingDirectory> list_recordings(const std::string& directory) {
  std::vector<RecordingDirectory> recordings;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (auto recording = look_at_recording(entry.path().string())) {
      recordings.push_back(std::move(*recording));
    }
  }
  std::sort(recordings.begin(), recordings.end(), [](const auto& a, const auto& b) {
    return std::tie(a.last_written, a.path) < std::tie(b.last_written, b.path);
  });
  return recordings;
}

bool is_running(const format::ControlPage& page) {
  const std::vector<pid_t> pids = all_pids();
  return may_be_out_of_sight(page) ||
         std::any_of(pids.begin(), pids.end(), [&](pid_t pid) { return matches(pid, page); });
}

bool remove_recording(const RecordingDirectory& recording) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(recording.path, error)) {
    if (!is_seep_file(entry.path().filename().string()) ||
        !fs::is_regular_file(entry.symlink_status(error))) {
      return false;
    }
    // The control page goes last: without it the rest would not be recognised again.
    const bool is_control = entry.path().filename() == format::kControlFileName;
    files.insert(is_control ? files.end() : files.begin(), entry.path());
  }
  for (const fs::path& file : files) {
    if (!fs::remove(file, error)) {
      return false;
    }
  }
  return fs::remove(recording.path, error);
}

}  // namespace seep::client
