#include "preload/agent/languages.h"

#include <atomic>
#include <string_view>

#include "preload/intercept/interpreters.h"
#include "preload/intercept/php_heap.h"
#include "preload/intercept/php_limit.h"
#include "preload/recorder/recorder.h"
#include "preload/script/script.h"
#include "preload/stack/modules.h"

namespace seep::agent {
namespace {

constinit bool g_told = false;  // of the refusal; as the agent's holder

// Relaxed: two threads that count at once come to the same.
constinit std::atomic<std::uint64_t> g_counted_at{0};  // a generation of the modules
constinit std::atomic<std::uint64_t> g_candidates{0};

bool may_be_interpreter(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string_view kind : {"lib", "mod_"}) {
    name.remove_prefix(name.substr(0, kind.size()) == kind ? kind.size() : 0);
  }
  return name.substr(0, 3) == "php" || name.substr(0, 6) == "python";
}

// Goes up with each module that may be an interpreter, by its name; 1 for the program itself. An
// interpreter is looked for in the loader's list, without its lock: other threads may unload what
// stands there. So it is looked for at the start, and when there is reason to.
std::uint64_t count_candidates() {
  const std::uint64_t now = stack::generation();
  if (g_candidates.load(std::memory_order_relaxed) != 0 &&
      g_counted_at.load(std::memory_order_relaxed) == now) [[likely]] {
    return g_candidates.load(std::memory_order_relaxed);
  }
  std::uint64_t count = 1;
  for (unsigned id = 1; id <= stack::module_count(); ++id) {
    const stack::Module* module = stack::module_at(id);
    count += module != nullptr && may_be_interpreter(module->path) ? 1 : 0;
  }
  g_candidates.store(count, std::memory_order_relaxed);
  g_counted_at.store(now, std::memory_order_relaxed);
  return count;
}

}  // namespace

// Without the heap nothing is there to be put under a script's line.
void choose_languages(const Settings& settings) {
  if (settings.track_heap) {
    intercept::choose_languages(settings.languages);
  }
}

void look_for_interpreters() {
  recorder::look_at_every_call(recorder::recording() &&
                               intercept::look_for_interpreters(count_candidates()));
}

void recover_languages_after_fork() {
  intercept::recover_interpreters_after_fork();
  intercept::forget_php_requests();
}

std::uint64_t served_requests() {
  return intercept::php_requests();
}

snapshot::KnownLimits known_limits(std::uint64_t cgroup_bytes) {
  const intercept::PhpMemory php = intercept::php_memory();
  return {cgroup_bytes, php.limit, php.real, php.peak, php.used};
}

const char* take_script_refusal() {
  const char* why = script::refusal();
  if (why == nullptr || g_told) {
    return nullptr;
  }
  g_told = true;
  recorder::count_loss(format::Loss::script_frames_refused);
  return why;
}

}  // namespace seep::agent
