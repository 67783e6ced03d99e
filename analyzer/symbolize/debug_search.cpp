#include "analyzer/symbolize/debug_search.h"

#include <filesystem>
#include <string_view>

#include "analyzer/symbolize/debug_servers.h"

namespace seep::symbolize {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// libdwfl would look for a relative directory below that of the module.
std::string absolute(const std::string& dir) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(dir, error);
  return error ? dir : path.string();
}

std::string joined(const std::vector<std::string>& dirs) {
  // The first two: beside the file, and in .debug beside the file.
  std::string path = ":.debug";
  for (const std::string& dir : dirs) {
    path += ":" + dir;
  }
  return path;
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::string path_on_disk(const std::string& recorded_path) {
  return recorded_path.ends_with(kDeleted)
             ? recorded_path.substr(0, recorded_path.size() - kDeleted.size())
             : recorded_path;
}

DebugSearch::DebugSearch(const Options& options) {
  if (!options.sysroot.empty()) {
    sysroot_ = absolute(options.sysroot);
  }
  while (sysroot_.ends_with('/')) {
    sysroot_.pop_back();
  }
  for (const std::string& dir : options.debug_dirs) {
    given_dirs_.push_back(absolute(dir));
  }
  all_dirs_ = given_dirs_;
  if (!sysroot_.empty()) {
    all_dirs_.push_back(sysroot_ + "/usr/lib/debug");
  }
  all_dirs_.emplace_back("/usr/lib/debug");
  path_ = joined(all_dirs_);
  path_pointer_ = path_.data();
  callbacks_.find_elf = find_module_file;
  callbacks_.find_debuginfo = find_debug_file;
  callbacks_.section_address = dwfl_offline_section_address;
  callbacks_.debuginfo_path = &path_pointer_;
  limit_debug_servers();
}

std::vector<std::string> DebugSearch::candidates(const model::Module& module) const {
  std::vector<std::string> files;
  const std::string path = path_on_disk(module.path);
  if (!path.starts_with('/')) {
    return files;
  }
  if (!sysroot_.empty()) {
    files.push_back(sysroot_ + path);
  }
  // Without a build-id nothing would tell that a file is not the recorded one.
  const bool known = !module.build_id.empty();
  if (known || (sysroot_.empty() && path == module.path)) {
    files.push_back(path);
  }
  for (const std::string& dir : given_dirs_) {
    files.push_back(dir + path);
    files.push_back(dir + "/" + file_name(path));
  }
  if (module.build_id.size() > 2) {
    const std::string link =
        "/.build-id/" + module.build_id.substr(0, 2) + "/" + module.build_id.substr(2);
    for (const std::string& dir : all_dirs_) {
      files.push_back(dir + link + ".debug");
      files.push_back(dir + link);
    }
  }
  return files;
}

}  // namespace seep::symbolize
