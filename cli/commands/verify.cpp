// seep verify FILE…: whether snapshots are intact.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "analyzer/model/printable.h"
#include "analyzer/read/inspect.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "format/recording_layout.h"

namespace seep::cli {
namespace {

namespace fs = std::filesystem;

bool is_snapshot_name(const std::string& name) {
  return (name.starts_with(format::kSnapshotPrefix) || name.starts_with(format::kScanPrefix)) &&
         name.ends_with(format::kSnapshotSuffix);
}

// A directory stands for the snapshots below it, any other path for itself.
std::vector<std::string> files_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return {path};
  }
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
    if (is_snapshot_name(entry.path().filename().string())) {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// One line a file: what is intact to stdout, the first thing that is wrong to stderr (`seep info`
// names them all).
bool verify_file(const std::string& file) {
  const Result<read::FileInfo> info = read::inspect(file);
  if (!info) {
    fail(info.error());
    return false;
  }
  if (!info->intact()) {
    fail(info->problems.front());
    return false;
  }
  fmt::print("{}: ok\n", model::printable(file));
  return true;
}

bool verify_path(const std::string& path) {
  const std::vector<std::string> files = files_of(path);
  if (files.empty()) {
    fail({ErrorKind::kBadInput,
          path,
          {},
          {},
          "holds no snapshots",
          "name a recording, or snapshot files"});
  }
  bool intact = !files.empty();
  for (const std::string& file : files) {
    intact = verify_file(file) && intact;
  }
  return intact;
}

int verify_verb(const std::vector<std::string>& paths) {
  bool intact = true;
  for (const std::string& path : paths) {
    intact = verify_path(path) && intact;
  }
  return intact ? kDone : kBadInput;
}

}  // namespace

Action describe_verify(Arguments& arguments) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  arguments.option("FILE", *paths, "Snapshots, or directories that hold some").required();
  return [paths](const auto&) { return verify_verb(*paths); };
}

}  // namespace seep::cli
