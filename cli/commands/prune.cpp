// seep prune DIR: frees disk by removing the oldest finished recordings.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "analyzer/model/printable.h"
#include "cli/client/recording_directory.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/quantity.h"

namespace seep::cli {
namespace {

struct Entry {
  client::RecordingDirectory recording;
  client::DiskUse use;
};

struct Options {
  std::string directory;
  std::uint64_t to_bytes = std::uint64_t{1} << 30;  // as SEEP_DISK
  bool dry_run = false;
};

Error not_a_directory(const std::string& path) {
  return Error{ErrorKind::kBadInput,
               path,
               {},
               {},
               "is no directory that can be read",
               "name a directory of recordings, such as ./seep-out"};
}

Error no_recordings(const std::string& path) {
  return Error{ErrorKind::kBadInput,
               path,
               {},
               {},
               "holds no recordings, nothing was removed",
               "name the directory that recordings go to, such as ./seep-out"};
}

std::vector<Entry> oldest_first(const std::string& directory) {
  std::vector<Entry> entries;
  for (client::RecordingDirectory& recording : client::list_recordings(directory)) {
    const client::DiskUse use = client::disk_use(recording);
    entries.push_back({std::move(recording), use});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.use.last_written, a.recording.path) <
           std::tie(b.use.last_written, b.recording.path);
  });
  return entries;
}

// True when the recording is gone, or would be.
bool remove_one(const Entry& entry, bool dry_run) {
  const std::string what =
      fmt::format("{} ({})", model::printable(entry.recording.path), format_size(entry.use.bytes));
  if (dry_run) {
    fmt::print("would remove {}\n", what);
    return true;
  }
  if (!client::remove_recording(entry.recording)) {
    fmt::print(stderr,
               "seep: {}: kept: it holds something that is not seep's, or cannot be removed\n",
               model::printable(entry.recording.path));
    return false;
  }
  fmt::print("removed {}\n", what);
  return true;
}

int prune(const Options& options, const std::vector<Entry>& entries) {
  std::uint64_t held = 0;
  for (const Entry& entry : entries) {
    held += entry.use.bytes;
  }
  const client::RunningProcesses running;
  unsigned kept = 0;
  unsigned removed = 0;
  for (const Entry& entry : entries) {
    if (held <= options.to_bytes) {
      break;
    }
    if (running.include(entry.recording.page)) {
      ++kept;
    } else if (remove_one(entry, options.dry_run)) {
      held -= entry.use.bytes;
      ++removed;
    }
  }
  fmt::print("{}{} of {} recordings removed, {} left{}\n", options.dry_run ? "dry run: " : "",
             removed, entries.size(), format_size(held),
             kept == 0 ? "" : fmt::format("; {} kept because their process still runs", kept));
  return kDone;
}

int prune_verb(const Options& options) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(options.directory, error);
  if (error) {
    return fail(not_a_directory(options.directory));
  }
  const std::vector<Entry> found = oldest_first(options.directory);
  return found.empty() ? fail(no_recordings(options.directory)) : prune(options, found);
}

}  // namespace

Action describe_prune(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.option("DIR", options->directory, "The directory that recordings go to (SEEP_DIR)")
      .required();
  add_size(arguments, "--to", options->to_bytes,
           "Remove until at most this much is left (default 1G)");
  arguments.flag("--dry-run", options->dry_run, "Say what would be removed, remove nothing");
  return [options](const auto&) { return prune_verb(*options); };
}

}  // namespace seep::cli
