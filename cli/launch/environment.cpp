#include "cli/launch/environment.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "format/recording_layout.h"

namespace seep::launch {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string value_of(char specifier, const TrackedEnvironment& environment, pid_t pid) {
  switch (specifier) {
    case 'h':
      return host_name();
    case 'p':
      return std::to_string(pid);
    case 'e':
      return environment.program;
    case 't':
      return std::to_string(environment.now);
    case '%':
      return "%";
    default:
      return {};
  }
}

// The library expands what it is given once more.
std::string escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    escaped.append(c == '%' ? 2 : 1, c);
  }
  return escaped;
}

std::filesystem::path own_directory() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

Result<std::string> checked_library(const std::string& path) {
  // The loader splits LD_PRELOAD at these and knows no escape.
  if (path.find_first_of(" :") != std::string::npos) {
    return Error{ErrorKind::kInternal,
                 path,
                 {},
                 {},
                 "LD_PRELOAD cannot name a path with a space or a colon",
                 "put libseep.so elsewhere and set SEEP_LIBRARY"};
  }
  return path;
}

}  // namespace

std::string expand(const std::string& text, const TrackedEnvironment& environment, pid_t pid) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      expanded += text[i];
    } else if (++i < text.size()) {
      expanded += value_of(text[i], environment, pid);
    }
  }
  return expanded;
}

std::string TrackedEnvironment::directory_for(pid_t pid) const {
  std::error_code error;
  const std::filesystem::path path = expand(directory, *this, pid);
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return (error ? path : absolute.lexically_normal()).string();
}

void TrackedEnvironment::apply(pid_t pid) const {
  const char* others = getenv("LD_PRELOAD");
  const bool alone = others == nullptr || *others == '\0';
  setenv("LD_PRELOAD", (alone ? library : library + ":" + others).c_str(), 1);
  for (const auto& [variable, value] : settings) {
    setenv(variable.c_str(), value.c_str(), 1);
  }
  setenv("SEEP_DIR", escape(directory_for(pid)).c_str(), 1);
  setenv(format::kRunVariable, fmt::format("{}.{}", text_of_run_id(run_id), pid).c_str(), 1);
}

Result<std::string> find_library() {
  if (const char* given = getenv("SEEP_LIBRARY"); given != nullptr && *given != '\0') {
    std::error_code error;
    const std::string path = std::filesystem::absolute(given, error).string();
    if (access(path.c_str(), R_OK) == 0) {
      return checked_library(path);
    }
    return Error{ErrorKind::kInternal,
                 path,
                 {},
                 {},
                 "the library that SEEP_LIBRARY names cannot be read",
                 "correct or unset SEEP_LIBRARY"};
  }
  const std::filesystem::path bin = own_directory();
  for (const char* relative : {"../lib/libseep.so", "../" SEEP_INSTALL_LIBDIR "/libseep.so"}) {
    const std::string path = (bin / relative).lexically_normal().string();
    if (access(path.c_str(), R_OK) == 0) {
      return checked_library(path);
    }
  }
  return Error{ErrorKind::kInternal,
               (bin / "../lib/libseep.so").lexically_normal().string(),
               {},
               {},
               "the library that records is not there",
               "build or install seep whole, or set SEEP_LIBRARY"};
}

std::uint64_t new_run_id() {
  std::uint64_t id = 0;
  if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id) || id == 0) {
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    id = static_cast<std::uint64_t>(now) ^ (static_cast<std::uint64_t>(getpid()) << 48);
  }
  return id;
}

std::string text_of_run_id(std::uint64_t run_id) {
  return fmt::format("{:016x}", run_id);
}

}  // namespace seep::launch
