// The library's constructor: the one place where the agent and the hooks meet.
#include "preload/agent/agent.h"
#include "preload/intercept/process_events.h"
#include "preload/intercept/real_functions.h"
#include "preload/runtime/valgrind.h"

extern "C" int __cxa_atexit(void (*handler)(void*), void* argument, void* dso);

namespace seep::agent {
namespace {

constinit Agent g_agent;

}  // namespace

// AT-INIT. The library is linked with -z initfirst: this runs before any other constructor.
[[gnu::constructor(101)]] static void start_library(int, char**, char** environment) {
  intercept::resolve_real_functions();
  runtime::look_for_valgrind(environment);
  // The smallest chunk of libc's allocator has 32 bytes.
  recorder::g_tables.blocks.allow_dense_pages(intercept::real().libc_allocator);
  recorder::set_mode(recorder::Mode::kDormant);  // until the agent knows better
  intercept::g_process_events = {
      .on_main = [] { g_agent.on_main(); },
      .on_exit = [](const intercept::ExitEvent& event) { g_agent.on_exit(event); },
      .on_exec_failed = [] { g_agent.on_exec_failed(); },
      .on_fork = [] { g_agent.on_fork(); },
      .on_fork_child = [] { g_agent.on_fork_child(/*alone=*/true); },
      .on_root_change = [] { g_agent.on_root_change(); },
      .on_filter = [](bool allows_snapshots) { return g_agent.on_filter(allows_snapshots); },
      .on_mark = [](const intercept::MarkEvent& event) { g_agent.on_mark(event); },
      .on_script_end = [] { return g_agent.on_script_end(); },
      .on_script_shutdown = [] { g_agent.on_script_shutdown(); },
      .on_leak_check = [](bool is_last) { return g_agent.check_for_losses(is_last); },
  };
  intercept::watch_forks();
  g_agent.start(environment);
  // What is registered first runs last, and what belongs to no library is not run with one.
  __cxa_atexit([](void*) { g_agent.scan_at_exit(); }, nullptr, nullptr);
}

}  // namespace seep::agent
