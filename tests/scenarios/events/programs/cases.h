// What the programs of this folder share: cases by name, children that are waited for, and work for
// the allocator. Each case prints what it saw, so that a run under the preload can be compared.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct Case {
  const char* name;
  void (*run)(void);
};

// The arguments behind the name of the case.
static char** g_arguments;

static inline int run_case(const struct Case* cases, char** argv) {
  static char buffer[4096];
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));  // not a block among those that are counted
  for (; argv[1] != NULL && cases->name != NULL; ++cases) {
    if (strcmp(cases->name, argv[1]) == 0) {
      g_arguments = argv + 2;
      cases->run();
      fflush(stdout);
      return 0;
    }
  }
  fprintf(stderr, "no such case\n");
  return 2;
}

static inline void say(const char* what, long value) {
  printf("%s %ld\n", what, value);
  fflush(stdout);  // a child must not print it again
}

// The result of a call that may fail, with the name of its error.
static inline void say_result(const char* what, long result) {
  const int error = errno;
  printf("%s %ld %s\n", what, result, result < 0 ? strerrorname_np(error) : "");
  fflush(stdout);
}

static inline long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// One block at a time.
static inline void churn(int count) {
  for (int i = 0; i < count; ++i) {
    char* volatile block = malloc((size_t)(16 + i % 300));
    block[0] = 'x';
    free(block);
  }
}

static inline void churn_for_ms(long ms) {
  for (const long end = now_ms() + ms; now_ms() < end;) {
    churn(200);
  }
}

static inline void say_child(const char* what, pid_t pid) {
  int status = -1;
  pid_t got;
  do {
    got = waitpid(pid, &status, __WALL);
  } while (got < 0 && errno == EINTR);
  printf("%s %s exit %d signal %d\n", what, got == pid ? "reaped" : "lost",
         WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  fflush(stdout);
}

static atomic_bool g_stop;

static void* allocate_until_stopped(void* unused) {
  (void)unused;
  while (!atomic_load(&g_stop)) {
    churn(100);
  }
  return NULL;
}

enum { kThreads = 4 };

static inline void start_threads(pthread_t* threads) {
  for (int i = 0; i < kThreads; ++i) {
    pthread_create(&threads[i], NULL, allocate_until_stopped, NULL);
  }
}

static inline void stop_threads(pthread_t* threads) {
  atomic_store(&g_stop, 1);
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(threads[i], NULL);
  }
}
