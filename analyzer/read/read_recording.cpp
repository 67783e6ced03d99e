#include "analyzer/read/read_recording.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "analyzer/read/find_recordings.h"
#include "analyzer/read/history.h"
#include "analyzer/read/jit_map.h"
#include "analyzer/read/process_end.h"
#include "analyzer/read/read_snapshot.h"
#include "analyzer/read/scan_history.h"

namespace seep::read {
namespace {

// A running process removes old snapshots while we read: what vanished is no damage.
bool vanished(const std::string& path) {
  std::error_code ignored;
  return !std::filesystem::exists(path, ignored);
}

class ProgressCounter {
 public:
  ProgressCounter(const Progress& progress, const std::vector<Source>& sources)
      : progress_(progress) {
    for (const Source& source : sources) {
      all_ += source.files.size();
    }
  }

  void file_done() {
    ++done_;
    if (progress_) {
      progress_(done_, all_);
    }
  }

 private:
  const Progress& progress_;
  std::size_t done_ = 0;
  std::size_t all_ = 0;
};

Error out_of_order(const std::string& path) {
  return {.kind = ErrorKind::kBadInput,
          .file = path,
          .offset = std::nullopt,
          .section = "process",
          .what = "is of another process, or not later than the snapshot before it",
          .advice = "leave it out"};
}

Error nothing_left(const std::string& directory) {
  return {.kind = ErrorKind::kBadInput,
          .file = directory,
          .offset = std::nullopt,
          .section = "",
          .what = "its snapshots were removed while they were read",
          .advice = "try again"};
}

// The files of one source, put together: snapshots first, then scans.
class Assembly {
 public:
  explicit Assembly(std::size_t files) : history_(files) {}

  // False when the file is of another image or out of order.
  bool add(model::Snapshot snapshot) {
    if (!snapshot.scan) {
      return !recording_ && history_.add(std::move(snapshot));
    }
    if (!recording_) {
      begin_scans(snapshot);
    }
    if (!same_image(recording_->process, snapshot.process)) {
      return false;
    }
    add_scan(*recording_, std::move(snapshot));
    return true;
  }

  [[nodiscard]] bool empty() const { return !recording_ && history_.empty(); }

  model::Recording take() { return recording_ ? std::move(*recording_) : history_.take(); }

 private:
  // A scan is a whole snapshot too: where there is no other, it stands in for one.
  void begin_scans(const model::Snapshot& first) {
    if (history_.empty()) {
      model::Snapshot snapshot = first;
      snapshot.scan.reset();
      history_.add(std::move(snapshot));
    }
    recording_ = history_.take();
  }

  HistoryBuilder history_;
  std::optional<model::Recording> recording_;  // once the first scan has come
};

// The recording; an error when a named file is damaged or no file could be read.
Result<model::Recording> read_source(const Source& source, ProgressCounter& progress) {
  Assembly assembly(source.files.size());
  std::vector<std::string> skipped;
  std::optional<Error> first_error;
  for (const std::string& file : source.files) {
    auto snapshot = read_snapshot(file);
    std::optional<Error> error;
    if (!snapshot) {
      error = snapshot.error();
    } else if (!assembly.add(std::move(*snapshot))) {
      error = out_of_order(file);
    }
    progress.file_done();
    if (error && source.named) {
      return *error;
    }
    if (error && !vanished(file)) {
      skipped.push_back(error->message());
      first_error = first_error ? first_error : error;
    }
  }
  if (assembly.empty()) {
    return first_error ? *first_error : nothing_left(source.path);
  }
  model::Recording recording = assembly.take();
  recording.id = source.id;
  recording.path = source.path;
  recording.end = find_end(recording.end, recording.process, source.directory);
  recording.skipped = std::move(skipped);
  const bool is_running = recording.end.how == model::EndInfo::How::kRunning;
  name_jit_frames(recording.stacks, read_jit_map(source.directory, recording.process, is_running));
  return recording;
}

}  // namespace

Result<std::vector<model::Recording>> read_recordings(const std::vector<std::string>& paths,
                                                      const Selection& selection,
                                                      const Progress& progress) {
  auto found = find_sources(paths, selection);
  if (!found) {
    return found.error();
  }
  ProgressCounter counter(progress, found->sources);
  std::vector<model::Recording> recordings;
  std::vector<std::string> skipped = std::move(found->skipped);
  std::optional<Error> first_error;
  for (const Source& source : found->sources) {
    auto recording = read_source(source, counter);
    if (recording) {
      recordings.push_back(std::move(*recording));
    } else if (source.named || found->sources.size() == 1) {
      return recording.error();
    } else {
      skipped.push_back(recording.error().message());
      first_error = first_error ? first_error : recording.error();
    }
  }
  if (recordings.empty()) {
    return first_error ? *first_error
                       : Error{.kind = ErrorKind::kUsage,
                               .file = "",
                               .offset = std::nullopt,
                               .section = "",
                               .what = "no recording was given",
                               .advice = "name a directory or snapshot files"};
  }
  // Recordings that could not be read at all have no place of their own to be named.
  auto& names = recordings.front().skipped;
  names.insert(names.end(), skipped.begin(), skipped.end());
  return recordings;
}

}  // namespace seep::read
