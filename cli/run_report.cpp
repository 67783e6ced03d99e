#include "cli/run_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/analysis.h"
#include "cli/check.h"
#include "cli/client/control_file.h"
#include "cli/client/recording_directory.h"
#include "cli/report_file.h"
#include "format/recording_layout.h"

namespace seep::cli {
namespace {

using client::RecordingDirectory;

struct RunRecordings {
  std::string directory;                     // that they are in
  std::vector<RecordingDirectory> images;    // of this run, all processes
  std::optional<RecordingDirectory> direct;  // the last image of the program started directly
};

// Where the library records, in its order: SEEP_DIR, and what it falls back to when that cannot be
// written (design §2.2).
std::vector<std::string> candidate_directories(const std::string& wanted) {
  std::vector<std::string> directories{wanted};
  if (const char* temporary = getenv("TMPDIR"); temporary != nullptr && *temporary != '\0') {
    directories.emplace_back(temporary);
  }
  directories.push_back(fmt::format("/tmp/seep-{}", getuid()));
  return directories;
}

RunRecordings recordings_in(const std::string& directory, std::uint64_t run_id, pid_t pid) {
  RunRecordings found;
  found.directory = directory;
  for (RecordingDirectory& recording : client::list_recordings(directory)) {
    const format::ControlPage& page = recording.page;
    if (page.run_id != run_id) {
      continue;
    }
    if (static_cast<pid_t>(page.pid) == pid &&
        (!found.direct || found.direct->page.image < page.image)) {
      found.direct = recording;
    }
    found.images.push_back(std::move(recording));
  }
  return found;
}

RunRecordings find_recordings(const launch::TrackedEnvironment& environment, pid_t pid) {
  for (const std::string& directory : candidate_directories(environment.directory_for(pid))) {
    RunRecordings found = recordings_in(directory, environment.run_id, pid);
    if (!found.images.empty()) {
      return found;
    }
  }
  return {environment.directory_for(pid), {}, {}};
}

// For ends that the process could not record itself, such as kill -9.
void note_end(const RecordingDirectory& recording, const launch::ChildEnd& end) {
  const std::string text = end.signal != 0 ? fmt::format("signal {}\n", end.signal)
                                           : fmt::format("exit {}\n", end.status);
  const Destination file{recording.path + "/" + format::kEndedFileName, true};
  if (const auto error = write_text(file, text)) {
    fail(*error);
    return;
  }
  namespace fs = std::filesystem;
  std::error_code ignored;  // the directory is 0700 anyway
  fs::permissions(file.file, fs::perms::owner_read | fs::perms::owner_write, ignored);
}

bool has_snapshots(const RecordingDirectory& recording) {
  return recording.page.last_sequence != 0;
}

// The process waited for `seep start` until it ended. When it was killed it could not say so, but
// its control page does.
bool never_began(const RunRecordings& recordings, const launch::TrackedEnvironment& environment,
                 pid_t pid) {
  if (std::any_of(recordings.images.begin(), recordings.images.end(), has_snapshots)) {
    return false;
  }
  if (recordings.direct && static_cast<format::AgentState>(recordings.direct->page.state) ==
                               format::AgentState::kPaused) {
    return true;
  }
  const std::vector<std::string> directories =
      candidate_directories(environment.directory_for(pid));
  return std::any_of(directories.begin(), directories.end(), [&](const std::string& directory) {
    return client::index_says_never_recorded(directory, launch::text_of_run_id(environment.run_id),
                                             pid);
  });
}

std::string why_nothing_was_recorded(const launch::TrackedEnvironment& environment, pid_t pid) {
  const auto only = environment.settings.find("SEEP_ONLY");
  const char* variable = getenv("SEEP_ONLY");
  if (only != environment.settings.end() || (variable != nullptr && *variable != '\0')) {
    return fmt::format("SEEP_ONLY={} leaves it out, or libseep.so could not work in it",
                       only != environment.settings.end() ? only->second : variable);
  }
  return fmt::format(
      "libseep.so was not loaded into it, or could not write; if {}/{} is there it says why",
      environment.directory_for(pid), format::kLogFileName);
}

void say_nothing_recorded(const launch::TrackedEnvironment& environment, const std::string& why) {
  fmt::print(stderr, "seep: {} left no recording: {}\n", environment.program, why);
}

// "page.2.json" when there is a page.json: a service that is started again keeps its old report,
// and must start all the same.
Destination free_destination(const Destination& wanted) {
  const std::filesystem::path path = wanted.file;
  Destination destination = wanted;
  for (int number = 2; why_not_writable(destination); ++number) {
    destination.file = path.parent_path() / fmt::format("{}.{}{}", path.stem().string(), number,
                                                        path.extension().string());
  }
  if (destination.file != wanted.file) {
    fmt::print(stderr, "seep: {} exists already and is kept: the report is in {}\n", wanted.file,
               destination.file);
  }
  return destination;
}

void print_report(const RunReportOptions& options, const model::Report& report,
                  const std::string& directory) {
  bool is_written = !options.files.empty();
  for (const std::string& file : options.files) {
    if (const auto error = write_report(free_destination({file, options.force}), report)) {
      fail(*error);
      is_written = false;  // and it is printed here, so that it is not lost
    }
  }
  if (!is_written) {
    fmt::print(stderr, "{}", report::to_run_summary(report, directory));
  }
}

int check_status(const CheckOptions& options, const model::Report& report, int own_status) {
  if (!options.check) {
    return own_status;
  }
  const CheckResult result = check(report, options);
  fmt::print(stderr, "{}", to_text(result));
  return own_status == 0 && !result.leaks.empty() ? options.error_exitcode : own_status;
}

}  // namespace

std::optional<Analysis> recorded(const RunReportOptions& options, const EndedRun& run) {
  const pid_t pid = run.end.pid;
  const RunRecordings recordings = find_recordings(run.environment, pid);
  if (never_began(recordings, run.environment, pid)) {
    say_nothing_recorded(run.environment,
                         "SEEP_START held it back until the end (`seep start PID` begins it)");
    return std::nullopt;
  }
  if (recordings.images.empty()) {
    say_nothing_recorded(run.environment, why_nothing_was_recorded(run.environment, pid));
    return std::nullopt;
  }
  if (recordings.direct) {
    note_end(*recordings.direct, run.end);
  }
  Analysis analysis;
  analysis.report = options.report;
  analysis.paths = {recordings.directory};
  analysis.selection.run_id = launch::text_of_run_id(run.environment.run_id);
  analysis.accepted = options.accepted;
  return analysis;
}

int finish_run(const RunReportOptions& options, const model::Report& report,
               const std::string& directory, int own_status) {
  print_report(options, report, directory);
  return check_status(options.check, report, own_status);
}

int without_report(const RunReportOptions& options, int own_status) {
  return options.check.check && own_status == 0 ? launch::kStatusOwnFailure : own_status;
}

int report_run(const RunReportOptions& options, const launch::TrackedEnvironment& environment,
               const launch::ChildEnd& end) {
  const std::optional<Analysis> analysis = recorded(options, {environment, end});
  if (!analysis) {
    return without_report(options, end.exit_status());
  }
  auto progress = std::make_unique<Progress>();
  const Result<model::Report> report = analyze(*analysis, *progress);
  progress.reset();  // wipes its line before anything is printed
  if (!report) {
    fail(report.error());
    return without_report(options, end.exit_status());
  }
  return finish_run(options, *report, analysis->paths.front(), end.exit_status());
}

}  // namespace seep::cli
