// seep prune DIR: frees disk by removing the oldest finished recordings.
#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/client/recording_directory.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/quantity.h"

namespace seep::cli {
namespace {

using client::RecordingDirectory;

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

// True when the recording is gone, or would be.
bool remove_one(const RecordingDirectory& recording, bool dry_run) {
  if (dry_run) {
    fmt::print("would remove {} ({})\n", recording.path, format_size(recording.bytes));
    return true;
  }
  if (!client::remove_recording(recording)) {
    fmt::print(stderr,
               "seep: {}: kept: it holds something that is not seep's, or cannot be removed\n",
               recording.path);
    return false;
  }
  fmt::print("removed {} ({})\n", recording.path, format_size(recording.bytes));
  return true;
}

int prune(const Options& options, const std::vector<RecordingDirectory>& recordings) {
  std::uint64_t held = 0;
  for (const RecordingDirectory& recording : recordings) {
    held += recording.bytes;
  }
  unsigned running = 0;
  unsigned removed = 0;
  for (const RecordingDirectory& recording : recordings) {
    if (held <= options.to_bytes) {
      break;
    }
    if (client::is_running(recording.page)) {
      ++running;
    } else if (remove_one(recording, options.dry_run)) {
      held -= recording.bytes;
      ++removed;
    }
  }
  fmt::print(
      "{}{} of {} recordings removed, {} left{}\n", options.dry_run ? "dry run: " : "", removed,
      recordings.size(), format_size(held),
      running == 0 ? "" : fmt::format("; {} kept because their process still runs", running));
  return kDone;
}

int prune_verb(const Options& options) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(options.directory, error);
  if (error) {
    return fail(not_a_directory(options.directory));
  }
  const std::vector<RecordingDirectory> recordings = client::list_recordings(options.directory);
  return recordings.empty() ? fail(no_recordings(options.directory)) : prune(options, recordings);
}

}  // namespace

Action describe_prune(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("DIR", options->directory, "The directory that recordings go to (SEEP_DIR)")
      ->required();
  add_size(app, "--to", options->to_bytes, "Remove until at most this much is left (default 1G)");
  app.add_flag("--dry-run", options->dry_run, "Say what would be removed, remove nothing");
  return [options](const auto&) { return prune_verb(*options); };
}

}  // namespace seep::cli
