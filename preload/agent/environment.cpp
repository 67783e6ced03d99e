#include "preload/agent/environment.h"

#include <unistd.h>

#include <cstddef>

#include "preload/runtime/arena.h"
#include "preload/runtime/text.h"

namespace seep::agent {
namespace {

constexpr std::string_view kPreload = "LD_PRELOAD=";
constexpr std::string_view kLibrary = "libseep.so";

bool same_name(std::string_view entry, std::string_view assignment) {
  const std::size_t length = assignment.find('=') + 1;
  return !assignment.empty() && entry.substr(0, length) == assignment.substr(0, length);
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// LD_PRELOAD without the words that name libseep.so; null when nothing is left of it.
char* preload_without_seep(std::string_view entry) {
  auto* copy = static_cast<char*>(runtime::map_pages(entry.size() + 1));
  if (copy == nullptr) {
    return nullptr;
  }
  std::size_t used = 0;
  entry.remove_prefix(kPreload.size());
  for (const char c : kPreload) {
    copy[used++] = c;
  }
  while (!entry.empty()) {
    const std::size_t end = entry.find_first_of(" :");
    const std::string_view word = entry.substr(0, end);
    entry = end == std::string_view::npos ? std::string_view{} : entry.substr(end + 1);
    if (word.empty() || ends_with(word, kLibrary)) {
      continue;
    }
    if (used != kPreload.size()) {
      copy[used++] = ':';
    }
    for (const char c : word) {
      copy[used++] = c;
    }
  }
  copy[used] = '\0';
  return used == kPreload.size() ? nullptr : copy;
}

}  // namespace

bool edit_environment(const EnvironmentEdit& edit) {
  std::size_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) {
    ++count;
  }
  auto** fresh = static_cast<char**>(runtime::map_pages((count + 3) * sizeof(char*)));
  if (fresh == nullptr) {
    return false;
  }
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view entry = runtime::view_of(environ[i]);
    if (same_name(entry, edit.set[0]) || same_name(entry, edit.set[1])) {
      continue;
    }
    const bool preload = edit.remove_preload && entry.substr(0, kPreload.size()) == kPreload;
    char* kept = preload ? preload_without_seep(entry) : environ[i];
    if (kept != nullptr) {
      fresh[used++] = kept;
    }
  }
  for (const std::string_view assignment : edit.set) {
    if (!assignment.empty()) {
      fresh[used++] = const_cast<char*>(assignment.data());
    }
  }
  environ = fresh;
  return true;
}

}  // namespace seep::agent
