// The ways a process image begins and ends: main, exit and its relatives, exec and fork.
#include "preload/intercept/process_events.h"

#include <alloca.h>
#include <stdarg.h>
#include <unistd.h>

#include "preload/intercept/exec_target.h"
#include "preload/intercept/real_functions.h"

extern "C" void* __dso_handle;
extern "C" int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* dso);

namespace seep::intercept {

constinit ProcessEventHandlers g_process_events;

namespace {

using MainFunction = int (*)(int, char**, char**);
constinit MainFunction g_main = nullptr;  // set before main runs

void notify_exit(format::End how, int status, const char* function) {
  if (g_process_events.on_exit != nullptr) {
    g_process_events.on_exit({how, status, function});
  }
}

void notify(void (*handler)()) {
  if (handler != nullptr) {
    handler();
  }
}

void before_fork() {
  notify(g_process_events.on_fork);
}

void after_fork_in_child() {
  notify(g_process_events.on_fork_child);
}

// Returning from main does not pass through any exit that could be hooked. The agent may have
// settled another environment by then: main is given the one that is in force.
int run_main(int count, char** arguments, char** environment) {
  notify(g_process_events.on_main);
  environment = environ;
  const int status = g_main(count, arguments, environment);
  notify_exit(format::End::kExit, status, "main");
  return status;
}

int exec_failed(int result) {
  notify(g_process_events.on_exec_failed);
  return result;
}

// The arguments of execl and its relatives up to the null, which is left in `list`.
std::size_t count_arguments(va_list list) {
  std::size_t count = 1;
  while (va_arg(list, char*) != nullptr) {
    ++count;
  }
  return count;
}

void collect_arguments(const char* first, va_list list, char** arguments) {
  arguments[0] = const_cast<char*>(first);
  for (std::size_t i = 0; arguments[i] != nullptr; ++i) {
    arguments[i + 1] = va_arg(list, char*);
  }
}

}  // namespace

void watch_forks() {
  __register_atfork(before_fork, nullptr, after_fork_in_child, &__dso_handle);
}

SEEP_EXPORT int __libc_start_main(int (*main_function)(int, char**, char**), int count,
                                  char** arguments, void (*init)(), void (*fini)(),
                                  void (*loader_fini)(), void* stack_end) {
  g_main = main_function;
  return real().libc_start_main(run_main, count, arguments, init, fini, loader_fini, stack_end);
}

SEEP_EXPORT void exit(int status) {
  notify_exit(format::End::kExit, status, "exit");
  real().exit(status);
  __builtin_unreachable();
}

SEEP_EXPORT void _exit(int status) {
  notify_exit(format::End::kExit, status, "_exit");
  real()._exit(status);
  __builtin_unreachable();
}

SEEP_EXPORT void _Exit(int status) {
  notify_exit(format::End::kExit, status, "_Exit");
  real()._Exit(status);
  __builtin_unreachable();
}

SEEP_EXPORT void quick_exit(int status) {
  notify_exit(format::End::kExit, status, "quick_exit");
  real().quick_exit(status);
  __builtin_unreachable();
}

// Takes libseep.so out of the environment of a program that it must not enter. The copy lies on the
// stack: in the child of a vfork there is no other place.
#define SEEP_SPARE(environment, ...)                                          \
  const std::size_t bytes = bytes_to_keep_seep_out(__VA_ARGS__, environment); \
  char* const* spared =                                                       \
      bytes == 0 ? (environment) : environment_without_seep(environment, alloca(bytes))

SEEP_EXPORT int execve(const char* path, char* const* arguments, char* const* environment) {
  notify_exit(format::End::kExec, 0, "execve");
  SEEP_SPARE(environment, path, Lookup::kPath);
  return exec_failed(real().execve(path, arguments, spared));
}

SEEP_EXPORT int execv(const char* path, char* const* arguments) {
  return execve(path, arguments, environ);
}

SEEP_EXPORT int execvpe(const char* file, char* const* arguments, char* const* environment) {
  notify_exit(format::End::kExec, 0, "execvpe");
  SEEP_SPARE(environment, file, Lookup::kSearch);
  return exec_failed(real().execvpe(file, arguments, spared));
}

SEEP_EXPORT int execvp(const char* file, char* const* arguments) {
  return execvpe(file, arguments, environ);
}

SEEP_EXPORT int fexecve(int fd, char* const* arguments, char* const* environment) {
  notify_exit(format::End::kExec, 0, "fexecve");
  SEEP_SPARE(environment, fd);
  return exec_failed(real().fexecve(fd, arguments, spared));
}

SEEP_EXPORT int execveat(int directory, const char* path, char* const* arguments,
                         char* const* environment, int flags) {
  notify_exit(format::End::kExec, 0, "execveat");
  return exec_failed(real().execveat(directory, path, arguments, environment, flags));
}

SEEP_EXPORT int posix_spawn(pid_t* child, const char* path, const void* actions,
                            const void* attributes, char* const* arguments,
                            char* const* environment) {
  SEEP_SPARE(environment, path, Lookup::kPath);
  return real().posix_spawn(child, path, actions, attributes, arguments, spared);
}

SEEP_EXPORT int posix_spawnp(pid_t* child, const char* file, const void* actions,
                             const void* attributes, char* const* arguments,
                             char* const* environment) {
  SEEP_SPARE(environment, file, Lookup::kSearch);
  return real().posix_spawnp(child, file, actions, attributes, arguments, spared);
}
#undef SEEP_SPARE

// libc's execl calls its own execve, past ours: the list is turned into an array here.
#define SEEP_COLLECT(first, array)                                                         \
  va_list list;                                                                            \
  va_start(list, first);                                                                   \
  char** array = static_cast<char**>(alloca((count_arguments(list) + 1) * sizeof(char*))); \
  va_end(list);                                                                            \
  va_start(list, first);                                                                   \
  collect_arguments(first, list, array)

SEEP_EXPORT int execl(const char* path, const char* first, ...) {
  SEEP_COLLECT(first, arguments);
  va_end(list);
  return execve(path, arguments, environ);
}

SEEP_EXPORT int execlp(const char* file, const char* first, ...) {
  SEEP_COLLECT(first, arguments);
  va_end(list);
  return execvpe(file, arguments, environ);
}

SEEP_EXPORT int execle(const char* path, const char* first, ...) {
  SEEP_COLLECT(first, arguments);
  char** environment = va_arg(list, char**);
  va_end(list);
  return execve(path, arguments, environment);
}
#undef SEEP_COLLECT

}  // namespace seep::intercept
