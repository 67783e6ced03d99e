#include "analyzer/read/find_recordings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "analyzer/read/history.h"
#include "analyzer/read/read_bytes.h"
#include "format/recording_layout.h"

namespace seep::read {
namespace {

namespace fs = std::filesystem;

Error path_error(const std::string& path, std::string what, std::string advice) {
  return {.kind = ErrorKind::kBadInput,
          .file = path,
          .offset = std::nullopt,
          .section = "",
          .what = std::move(what),
          .advice = std::move(advice)};
}

struct Listing {
  std::vector<std::string> snapshots;    // paths, in the order of Source::files
  std::vector<std::string> directories;  // paths, by name
};

Result<Listing> list(const std::string& directory) {
  std::error_code failure;
  std::vector<std::pair<FileName, std::string>> numbered;
  Listing listing;
  fs::directory_iterator entry(directory, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    std::error_code ignored;  // an entry that vanished is no directory
    if (const auto name = parse_file_name(entry->path().filename().string())) {
      numbered.emplace_back(*name, entry->path().string());
    } else if (entry->is_directory(ignored)) {
      listing.directories.push_back(entry->path().string());
    }
  }
  if (failure) {
    return path_error(directory, "cannot be read: " + failure.message(), "");
  }
  std::sort(numbered.begin(), numbered.end());
  std::sort(listing.directories.begin(), listing.directories.end());
  for (auto& [name, path] : numbered) {
    listing.snapshots.push_back(std::move(path));
  }
  return listing;
}

// The last part of a path, also of "dir/" and of ".".
std::string name_of_directory(const std::string& directory) {
  std::error_code failure;
  const fs::path whole = fs::weakly_canonical(directory, failure);
  const fs::path& path = failure ? fs::path(directory) : whole;
  return path.filename().string();
}

Source source_of(const std::string& directory, std::vector<std::string> files) {
  return {name_of_directory(directory), directory, directory, std::move(files), false};
}

// --- Directories of recordings

struct Candidate {
  Source source;
  model::ProcessInfo process;
};

// Who wrote the recording: from its first readable snapshot.
Result<ProcessPart> first_process(const Source& source) {
  auto first = read_process(source.files.front());
  for (std::size_t i = 1; !first && i < source.files.size(); ++i) {
    if (auto next = read_process(source.files[i])) {
      return next;
    }
  }
  return first;
}

std::vector<Candidate> find_candidates(const std::vector<std::string>& directories,
                                       std::vector<Error>& skipped) {
  std::vector<Candidate> candidates;
  for (const std::string& directory : directories) {
    auto listing = list(directory);
    if (!listing) {
      skipped.push_back(listing.error());
      continue;
    }
    if (listing->snapshots.empty()) {
      continue;
    }
    Source source = source_of(directory, std::move(listing->snapshots));
    auto part = first_process(source);
    if (part) {
      candidates.push_back({std::move(source), std::move(part->process)});
    } else {
      skipped.push_back(part.error());
    }
  }
  return candidates;
}

std::string run_name(std::uint64_t run_id) {
  return fmt::format("{:016x}", run_id);
}

// The wanted run; the run of the recording that began last when none is named.
std::string wanted_run(const std::vector<Candidate>& candidates, const Selection& selection) {
  if (selection.run_id) {
    return *selection.run_id;
  }
  const auto began_earlier = [](const Candidate& a, const Candidate& b) {
    return a.process.started_unix_ns < b.process.started_unix_ns;
  };
  return run_name(
      std::max_element(candidates.begin(), candidates.end(), began_earlier)->process.run_id);
}

std::optional<Error> add_runs(const std::string& directory, std::vector<Candidate> candidates,
                              const Selection& selection, std::vector<Source>& sources) {
  const std::string run = wanted_run(candidates, selection);
  bool found = false;
  for (Candidate& candidate : candidates) {
    if (selection.all_runs || run_name(candidate.process.run_id) == run) {
      sources.push_back(std::move(candidate.source));
      found = true;
    }
  }
  if (!found) {
    return path_error(directory, "holds no recording of run " + run,
                      "leave --run out for the newest, or use --all-runs");
  }
  return std::nullopt;
}

std::optional<Error> add_directory(const std::string& directory, const Selection& selection,
                                   Sources& found) {
  auto listing = list(directory);
  if (!listing) {
    return listing.error();
  }
  if (!listing->snapshots.empty()) {
    found.sources.push_back(source_of(directory, std::move(listing->snapshots)));
    return std::nullopt;
  }
  std::vector<Error> skipped;
  std::vector<Candidate> candidates = find_candidates(listing->directories, skipped);
  if (candidates.empty() && !skipped.empty()) {
    return skipped.front();
  }
  if (candidates.empty()) {
    return path_error(directory, "holds no snapshots",
                      "give a recording, a directory of recordings, or snapshot files");
  }
  for (const Error& error : skipped) {
    found.skipped.push_back(error.message());
  }
  return add_runs(directory, std::move(candidates), selection, found.sources);
}

// --- Files given by name

struct NamedFile {
  std::string path;
  ProcessPart part;
};

std::string id_of(const model::ProcessInfo& process) {
  std::string id = fmt::format("{}.{}", fs::path(process.exe).filename().string(), process.pid);
  return process.image > 1 ? fmt::format("{}.{}", id, process.image) : id;
}

Source source_of(std::vector<NamedFile> files) {
  const auto place_of = [](const NamedFile& file) {
    return FileName{file.part.is_scan, file.part.moment.sequence};
  };
  std::stable_sort(files.begin(), files.end(), [&](const NamedFile& a, const NamedFile& b) {
    return place_of(a) < place_of(b);
  });
  const auto same_moment = [&](const NamedFile& a, const NamedFile& b) {
    return place_of(a) == place_of(b);
  };
  files.erase(std::unique(files.begin(), files.end(), same_moment), files.end());
  Source source;
  source.id = id_of(files.back().part.process);
  source.directory = fs::path(files.back().path).parent_path().string();
  if (source.directory.empty()) {
    source.directory = ".";
  }
  source.path = files.size() == 1 ? files.back().path : source.directory;
  source.named = true;
  for (NamedFile& file : files) {
    source.files.push_back(std::move(file.path));
  }
  return source;
}

// One source for each process image, in the order of their first files.
std::optional<Error> add_files(const std::vector<std::string>& paths,
                               std::vector<Source>& sources) {
  std::vector<std::vector<NamedFile>> images;
  for (const std::string& path : paths) {
    auto part = read_process(path);
    if (!part) {
      return part.error();
    }
    const auto image =
        std::find_if(images.begin(), images.end(), [&](const std::vector<NamedFile>& files) {
          return same_image(files.front().part.process, part->process);
        });
    if (image == images.end()) {
      images.push_back({{path, std::move(*part)}});
    } else {
      image->push_back({path, std::move(*part)});
    }
  }
  for (std::vector<NamedFile>& files : images) {
    sources.push_back(source_of(std::move(files)));
  }
  return std::nullopt;
}

}  // namespace

std::optional<FileName> parse_file_name(const std::string& name) {
  std::string_view rest = name;
  FileName result;
  result.is_scan = rest.starts_with(format::kScanPrefix);
  const std::string_view prefix = result.is_scan ? format::kScanPrefix : format::kSnapshotPrefix;
  const std::string_view suffix = format::kSnapshotSuffix;
  if (!rest.starts_with(prefix) || !rest.ends_with(suffix)) {
    return std::nullopt;
  }
  rest.remove_prefix(prefix.size());
  if (rest.size() <= suffix.size()) {
    return std::nullopt;
  }
  rest.remove_suffix(suffix.size());
  const auto [end, failure] =
      std::from_chars(rest.data(), rest.data() + rest.size(), result.sequence);
  if (failure != std::errc() || end != rest.data() + rest.size()) {
    return std::nullopt;
  }
  return result;
}

Result<Sources> find_sources(const std::vector<std::string>& paths, const Selection& selection) {
  Sources found;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code ignored;  // what cannot be looked at is told when it is opened as a file
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
    } else if (auto error = add_directory(path, selection, found)) {
      return *error;
    }
  }
  if (auto error = add_files(files, found.sources)) {
    return *error;
  }
  return found;
}

}  // namespace seep::read
