// Every way a process or an image begins: fork, vfork, clone, posix_spawn, exec, daemon.
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tests/scenarios/events/programs/cases.h"

extern char** environ;

// Uses blocks of its own and one of its parent's.
static void use_memory_and_leave(char* block_of_parent, int status) {
  char* own = malloc(1000);
  memset(own, 'c', 1000);
  block_of_parent = realloc(block_of_parent, 5000);
  churn(50);
  free(block_of_parent);
  free(own);
  _exit(status);
}

static int child_left_with(pid_t pid, int status) {
  int got = -1;
  while (waitpid(pid, &got, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(got) && WEXITSTATUS(got) == status;
}

static void fork_among_threads(void) {
  pthread_t threads[kThreads];
  start_threads(threads);
  char* block = malloc(500);
  int good = 0;
  for (int i = 0; i < 150; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      use_memory_and_leave(block, 7);
    }
    good += child_left_with(pid, 7);
  }
  stop_threads(threads);
  free(block);
  say("children", good);
}

static atomic_int g_forked;

static void fork_once(int signal) {
  (void)signal;
  const int before = errno;
  const pid_t pid = _Fork();
  if (pid == 0) {
    _exit(7);
  }
  atomic_fetch_add(&g_forked, child_left_with(pid, 7));
  errno = before;
}

static void fork_in_handler(void) {
  signal(SIGALRM, fork_once);
  const struct itimerval often = {{0, 2000}, {0, 2000}};
  setitimer(ITIMER_REAL, &often, NULL);
  const long end = now_ms() + 20000;
  while (atomic_load(&g_forked) < 100 && now_ms() < end) {
    churn(100);
  }
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  say("enough", atomic_load(&g_forked) >= 100);
}

static void vfork_exec(void) {
  for (volatile int i = 0; i < 20; ++i) {
    const pid_t pid = vfork();
    if (pid == 0) {
      execl("/bin/sh", "sh", "-c", "exit 9", (char*)NULL);
      _exit(1);
    }
    churn(100);
    if (!child_left_with(pid, 9)) {
      say("bad child", i);
    }
  }
  const pid_t pid = vfork();
  if (pid == 0) {
    execl("/nonexistent", "none", (char*)NULL);
    _exit(127);
  }
  say_child("failed exec", pid);
}

// What a child of vfork allocates, its parent has too.
static void vfork_allocates(void) {
  static char* volatile left[64];
  for (volatile int i = 0; i < 64; ++i) {
    if (vfork() == 0) {
      left[i] = malloc(700);
      memset(left[i], 'v', 700);
      churn(20);
      _exit(0);
    }
  }
  long sum = 0;
  for (int i = 0; i < 64; ++i) {
    sum += left[i][699];
    free(left[i]);
  }
  while (wait(NULL) > 0) {
  }
  say("bytes", sum);
}

static void spawn(void) {
  char* const echo[] = {"echo", "from a spawned child", NULL};
  pid_t pid;
  int result = posix_spawn(&pid, "/bin/echo", NULL, NULL, echo, environ);
  say_child("posix_spawn", pid);
  say("posix_spawn", result);
  result = posix_spawnp(&pid, "echo", NULL, NULL, echo, environ);
  say_child("posix_spawnp", pid);
  say("posix_spawnp", result);
  say("posix_spawn of nothing", posix_spawn(&pid, "/nonexistent", NULL, NULL, echo, environ));
  say("system", system("exit 5"));
  FILE* pipe = popen("echo through a pipe", "r");
  char line[64] = "";
  say("popen", fgets(line, sizeof(line), pipe) != NULL);
  printf("%s", line);
  say("pclose", pclose(pipe));
}

static void raw_fork(void) {
  for (int i = 0; i < 30; ++i) {
    char* block = malloc(300);
    const pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
      use_memory_and_leave(block, 3);
    }
    churn(100);
    if (!child_left_with(pid, 3)) {
      say("bad child", i);
    }
    free(block);
  }
  const pid_t pid = _Fork();
  if (pid == 0) {
    churn(1000);
    exit(4);
  }
  say_child("_Fork", pid);
}

static int use_shared_memory(void* argument) {
  churn(500);
  *(char* volatile*)argument = malloc(900);
  return 6;
}

// A child that shares memory and thread-local storage while its parent waits, and one that runs
// beside it without libc's knowledge.
static void clone_sharing_memory(void) {
  enum { kStack = 256 << 10 };
  char* stack = malloc(kStack);
  char* volatile left = NULL;
  const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  for (int i = 0; i < 20; ++i) {
    const pid_t pid = clone(use_shared_memory, stack + kStack, flags, (void*)&left);
    if (!child_left_with(pid, 6) || left == NULL) {
      say("bad child", i);
    }
    free(left);
    left = NULL;
    churn(300);
  }
  free(stack);
  say("done", 1);
}

static void clone3_child(void) {
  for (int i = 0; i < 20; ++i) {
    char* block = malloc(300);
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    const pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid == 0) {
      use_memory_and_leave(block, 2);
    }
    if (!child_left_with(pid, 2)) {
      say("bad child", i);
    }
    free(block);
  }
  say("done", 1);
}

static void exec_with_full_tables(void) {
  enum { kBlocks = 300000 };
  for (int i = 0; i < kBlocks; ++i) {
    char* volatile block = malloc((size_t)(24 + i % 64));
    block[0] = 'x';
  }
  char* const self[] = {"births", "after_exec", NULL};
  execv("/proc/self/exe", self);
}

static void after_exec(void) {
  churn(1000);
  say("after exec", 1);
}

static void* exec_from_thread(void* unused) {
  churn(1000);
  char* const self[] = {"births", "after_exec", NULL};
  execv("/proc/self/exe", self);
  return unused;
}

static void exec_in_thread(void) {
  pthread_t threads[kThreads + 1];
  start_threads(threads);
  pthread_create(&threads[kThreads], NULL, exec_from_thread, NULL);
  pause();
}

static void exec_failing(void) {
  char* const arguments[] = {"none", NULL};
  char* const nothing[] = {NULL};
  for (int i = 0; i < 50; ++i) {
    churn(100);
    execv("/nonexistent", arguments);
  }
  say_result("execv", execv("/nonexistent", arguments));
  say_result("execve", execve("/etc/passwd", arguments, environ));
  say_result("execvp", execvp("no-such-program-anywhere", arguments));
  say_result("execvpe", execvpe("/", arguments, environ));
  say_result("execl", execl("/nonexistent", "a", "b", (char*)NULL));
  say_result("execlp", execlp("no-such-program-anywhere", "a", (char*)NULL));
  say_result("execle", execle("/nonexistent", "a", (char*)NULL, nothing));
  say_result("fexecve", fexecve(-1, arguments, environ));
  say_result("execveat", execveat(-100, "/nonexistent", arguments, environ, 0));
  churn(1000);
}

// The end of the pipe that the daemon holds is closed when it has ended.
static void daemonize(void) {
  int ends[2];
  if (pipe(ends) != 0) {
    return;
  }
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    const int result = daemon(/*nochdir=*/1, /*noclose=*/1);
    churn_for_ms(100);  // what the one that forked says comes first
    say_result("daemon", result);
    say("session leader", getsid(0) == getpid());
    exit(0);
  }
  close(ends[1]);
  say_child("the one that forked", pid);
  char byte;
  say("end of the daemon", read(ends[0], &byte, 1));
}

static void chain_of_forks(void) {
  for (int depth = 0; depth < 12; ++depth) {
    char* block = malloc((size_t)(100 * (depth + 1)));
    memset(block, 'd', 100);
    const pid_t pid = fork();
    if (pid != 0) {
      if (!child_left_with(pid, 50)) {
        say("bad child at depth", depth);
      }
      exit(50);
    }
    churn(100);
  }
  exit(50);
}

static void map_and_unmap(void) {
  char* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  page[0] = 'm';
  munmap(page, 4096);
}

// Handlers of fork run around those of seep, and may allocate and map.
static char* g_left_by_handler;
static void allocate_at_fork(void) {
  churn(100);
  free(g_left_by_handler);
  g_left_by_handler = malloc(600);
  memset(g_left_by_handler, 'h', 600);
  map_and_unmap();
}

static void* map_until_stopped(void* unused) {
  (void)unused;
  while (!atomic_load(&g_stop)) {
    map_and_unmap();
  }
  return NULL;
}

static void handlers_of_fork(void) {
  pthread_t threads[kThreads];
  start_threads(threads);
  pthread_t mappers[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    pthread_create(&mappers[i], NULL, map_until_stopped, NULL);
  }
  say("atfork", pthread_atfork(allocate_at_fork, allocate_at_fork, allocate_at_fork));
  int good = 0;
  for (int i = 0; i < 150; ++i) {
    char* block = malloc(500);
    const pid_t pid = fork();
    if (pid == 0) {
      use_memory_and_leave(block, g_left_by_handler[599] == 'h' ? 8 : 9);
    }
    good += child_left_with(pid, 8);
    free(block);
  }
  stop_threads(threads);
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(mappers[i], NULL);
  }
  say("children", good);
}

// As many as make seep put its tables on huge pages, beside children that live and change the heap.
static void forks_of_a_large_heap(void) {
  enum { kBlocks = 300000, kForks = 40 };
  char** blocks = malloc(kBlocks * sizeof(char*));
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc((size_t)(24 + i % 64));
    blocks[i][0] = (char)i;
  }
  pid_t children[kForks];
  for (int i = 0; i < kForks; ++i) {
    children[i] = fork();
    if (children[i] == 0) {
      for (int k = i; k < kBlocks; k += 50) {
        free(blocks[k]);
      }
      use_memory_and_leave(malloc(100), 7);
    }
    for (int k = i; k < kBlocks; k += kForks * 10) {
      blocks[k] = realloc(blocks[k], 24 + (size_t)i);
    }
  }
  int good = 0;
  for (int i = 0; i < kForks; ++i) {
    good += child_left_with(children[i], 7);
  }
  long sum = 0;
  for (int i = 0; i < kBlocks; ++i) {
    sum += blocks[i][0] == (char)i;
    free(blocks[i]);
  }
  say("children", good);
  say("blocks", sum);
}

int main(int argc, char** argv) {
  (void)argc;
  static const struct Case kCases[] = {{"fork_among_threads", fork_among_threads},
                                       {"fork_in_handler", fork_in_handler},
                                       {"vfork_exec", vfork_exec},
                                       {"vfork_allocates", vfork_allocates},
                                       {"spawn", spawn},
                                       {"raw_fork", raw_fork},
                                       {"clone_sharing_memory", clone_sharing_memory},
                                       {"clone3_child", clone3_child},
                                       {"exec_with_full_tables", exec_with_full_tables},
                                       {"after_exec", after_exec},
                                       {"exec_in_thread", exec_in_thread},
                                       {"exec_failing", exec_failing},
                                       {"daemonize", daemonize},
                                       {"chain_of_forks", chain_of_forks},
                                       {"handlers_of_fork", handlers_of_fork},
                                       {"forks_of_a_large_heap", forks_of_a_large_heap},
                                       {NULL, NULL}};
  return run_case(kCases, argv);
}
