// LD_PRELOAD without libseep.so. Pure. Context: AT-INIT, IN-HOOK, IN-FORK-CHILD.
#pragma once

#include <cstddef>
#include <string_view>

namespace seep::intercept {

inline constexpr std::string_view kPreloadVariable = "LD_PRELOAD=";

inline bool is_preload_variable(std::string_view entry) {
  return entry.substr(0, kPreloadVariable.size()) == kPreloadVariable;
}

// Calls visit(word) for each library of an "LD_PRELOAD=…" entry.
template <typename Visit>
void for_each_preloaded(std::string_view entry, Visit&& visit) {
  entry.remove_prefix(kPreloadVariable.size());
  while (!entry.empty()) {
    const std::size_t end = entry.find_first_of(" :");
    const std::string_view word = entry.substr(0, end);
    entry = end == std::string_view::npos ? std::string_view{} : entry.substr(end + 1);
    if (!word.empty()) {
      visit(word);
    }
  }
}

inline bool is_libseep(std::string_view word) {
  constexpr std::string_view kLibrary = "libseep.so";
  return word.size() >= kLibrary.size() && word.substr(word.size() - kLibrary.size()) == kLibrary;
}

// Writes the entry without libseep.so to `out`, which has room for entry.size() + 1 bytes. False
// when no library is left: the variable is to go as a whole.
inline bool copy_without_seep(std::string_view entry, char* out) {
  std::size_t used = 0;
  for (const char c : kPreloadVariable) {
    out[used++] = c;
  }
  for_each_preloaded(entry, [&](std::string_view word) {
    if (is_libseep(word)) {
      return;
    }
    if (used != kPreloadVariable.size()) {
      out[used++] = ':';
    }
    for (const char c : word) {
      out[used++] = c;
    }
  });
  out[used] = '\0';
  return used != kPreloadVariable.size();
}

}  // namespace seep::intercept
