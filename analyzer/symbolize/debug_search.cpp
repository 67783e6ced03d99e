#include "analyzer/symbolize/debug_search.h"

#include <chrono>
#include <cstdlib>
#include <string_view>

namespace seep::symbolize {
namespace {

constexpr const char* kServers = "DEBUGINFOD_URLS";
// Waiting in vain for servers, over all modules, ends here.
constexpr std::chrono::seconds kLongestWait{10};
constexpr std::string_view kDeleted = " (deleted)";

// A limit of the user's own stands. TIMEOUT: seconds in which 100 KB must arrive; MAXTIME: seconds
// for one file; RETRY_LIMIT: further attempts.
void limit_servers() {
  ::setenv("DEBUGINFOD_TIMEOUT", "10", 0);
  ::setenv("DEBUGINFOD_MAXTIME", "60", 0);
  ::setenv("DEBUGINFOD_RETRY_LIMIT", "0", 0);
}

// Of the process, as is the environment variable that says where the servers are.
bool g_servers_given_up = false;

// libdwfl's own search, which ends with the servers.
int find_debug_file(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base,
                    const char* file, const char* debug_link, GElf_Word crc, char** found) {
  static std::chrono::steady_clock::duration waited{};
  const auto start = std::chrono::steady_clock::now();
  const int descriptor =
      dwfl_standard_find_debuginfo(module, user_data, name, base, file, debug_link, crc, found);
  if (descriptor < 0) {
    waited += std::chrono::steady_clock::now() - start;
  }
  if (waited > kLongestWait && std::getenv(kServers) != nullptr) {
    ::unsetenv(kServers);
    g_servers_given_up = true;
  }
  return descriptor;
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

DebugSearch::DebugSearch(const Options& options)
    : sysroot_(options.sysroot), given_dirs_(options.debug_dirs), all_dirs_(options.debug_dirs) {
  while (sysroot_.ends_with('/')) {
    sysroot_.pop_back();
  }
  if (!sysroot_.empty()) {
    all_dirs_.push_back(sysroot_ + "/usr/lib/debug");
  }
  all_dirs_.emplace_back("/usr/lib/debug");
  path_ = joined(all_dirs_);
  path_pointer_ = path_.data();
  callbacks_.find_elf = dwfl_build_id_find_elf;
  callbacks_.find_debuginfo = find_debug_file;
  callbacks_.section_address = dwfl_offline_section_address;
  callbacks_.debuginfo_path = &path_pointer_;
  limit_servers();
}

bool DebugSearch::servers_given_up() {
  return g_servers_given_up;
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
  files.push_back(path);
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
