#include "cli/client/recording_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "cli/client/control_file.h"
#include "cli/client/proc.h"
#include "format/recording_layout.h"

namespace seep::client {
namespace {

namespace fs = std::filesystem;

bool is_seep_file(const std::string& name) {
  return name == format::kControlFileName || name == format::kEndedFileName ||
         name == format::kSuppressionsFileName || name.starts_with(format::kSnapshotPrefix) ||
         name.starts_with(format::kScanPrefix);
}

std::uint64_t disk_bytes(const std::string& path) {
  struct stat status {};
  constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks, always
  return lstat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * kBlock
                                           : 0;
}

// The inode of the initial PID namespace, from which all processes can be seen (PROC_PID_INIT_INO).
constexpr std::uint64_t kInitialNamespace = 0xEFFFFFFC;

}  // namespace

std::optional<RecordingDirectory> look_at_recording(const std::string& path) {
  std::error_code error;
  const std::string control = path + "/" + format::kControlFileName;
  if (!fs::is_directory(fs::symlink_status(path, error)) ||
      !fs::is_regular_file(fs::symlink_status(control, error))) {
    return std::nullopt;
  }
  const std::optional<format::ControlPage> page = read_control_file(control);
  return page ? std::optional(RecordingDirectory{path, *page}) : std::nullopt;
}

std::vector<RecordingDirectory> list_recordings(const std::string& directory) {
  std::vector<RecordingDirectory> recordings;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (auto recording = look_at_recording(entry.path().string())) {
      recordings.push_back(std::move(*recording));
    }
  }
  return recordings;
}

bool index_says_never_recorded(const std::string& directory, const std::string& run_id, pid_t pid) {
  constexpr std::size_t kRunField = 1;
  constexpr std::size_t kPidField = 2;
  constexpr std::size_t kRecordingField = 10;
  std::ifstream index(directory + "/" + format::kIndexFileName);
  for (std::string line; std::getline(index, line);) {
    std::istringstream stream(line);
    std::vector<std::string> fields;
    for (std::string field; std::getline(stream, field, '\t');) {
      fields.push_back(std::move(field));
    }
    if (fields.size() > kRecordingField && fields[kRunField] == run_id &&
        fields[kPidField] == std::to_string(pid) &&
        fields[kRecordingField] == format::kNeverRecorded) {
      return true;
    }
  }
  return false;
}

DiskUse disk_use(const RecordingDirectory& recording) {
  DiskUse use;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(recording.path, error)) {
    use.bytes += disk_bytes(entry.path().string());
    std::error_code vanished;  // a running process thins its snapshots
    const auto written = fs::last_write_time(entry.path(), vanished);
    if (!vanished) {
      use.last_written = std::max(use.last_written, written);
    }
  }
  return use;
}

RunningProcesses::RunningProcesses() {
  struct stat status {};
  own_pid_namespace_ = stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
  for (const pid_t pid : all_pids()) {
    if (const auto ticks = start_ticks(pid)) {
      processes_.emplace(static_cast<std::uint32_t>(innermost_pid(pid)), *ticks);
    }
  }
}

bool RunningProcesses::include(const format::ControlPage& page) const {
  if (processes_.contains({page.pid, page.start_ticks})) {
    return true;
  }
  // One of another namespace that did not say that it ended may run out of our sight.
  return own_pid_namespace_ != kInitialNamespace && page.pid_namespace != 0 &&
         page.pid_namespace != own_pid_namespace_ &&
         page.state != static_cast<std::uint32_t>(format::AgentState::kEnded);
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
