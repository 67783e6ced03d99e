#include "preload/agent/environment.h"

#include <unistd.h>

#include <cstddef>

#include "preload/intercept/preload_list.h"
#include "preload/runtime/arena.h"
#include "preload/runtime/text.h"

namespace seep::agent {
namespace {

bool same_name(std::string_view entry, std::string_view assignment) {
  const std::size_t length = assignment.find('=') + 1;
  return !assignment.empty() && entry.substr(0, length) == assignment.substr(0, length);
}

// LD_PRELOAD without the words that name libseep.so; null when nothing is left of it.
char* preload_without_seep(std::string_view entry) {
  auto* copy = static_cast<char*>(runtime::map_pages(entry.size() + 1));
  return copy != nullptr && intercept::copy_without_seep(entry, copy) ? copy : nullptr;
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
    const bool preload = edit.remove_preload && intercept::is_preload_variable(entry);
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
