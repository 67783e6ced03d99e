// running CASE MS: goes on for MS milliseconds with threads and signals, and says whether anything
// of a scan could be seen: a child, a descriptor, a lost signal, another dumpable flag.
// CASE: plain, no_ptrace (a filter of system calls forbids it), dropped (another user, by setuid).
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kThreads = 20, kHeldBytes = 1337, kLostBytes = 777, kLost = 3 };

static volatile int g_over;
static volatile long g_handled, g_children;
static long g_sent;

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void forbid_ptrace(void) {
  struct sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof(steps) / sizeof(*steps), steps};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    abort();
}

static void handle(int signal) {
  if (signal == SIGCHLD)
    ++g_children;
  else
    ++g_handled;
}

static __attribute__((noinline)) void* make(size_t bytes) {
  void* block = malloc(bytes);
  memset(block, 0, bytes);
  return block;
}
static __attribute__((noinline)) void clear_stack(void) {
  volatile char room[8192];
  memset((char*)room, 0, sizeof(room));
}

// Holds a block by its stack only.
static void* hold(void* unused) {
  void* volatile mine = make(kHeldBytes);
  (void)unused;
  clear_stack();
  while (!g_over)
    usleep(5000);
  free(mine);
  return NULL;
}
// Makes and releases blocks, and moves one that holds another by realloc.
static void* churn(void* unused) {
  (void)unused;
  void** moved = make(64);
  moved[0] = make(kHeldBytes);
  for (size_t bytes = 64; !g_over; bytes = bytes > 100000 ? 64 : bytes * 3) {
    moved = realloc(moved, bytes);
    free(make(bytes / 2 + 1));
  }
  free(moved[0]);
  free(moved);
  return NULL;
}

static int count_descriptors_now(void) {
  int count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (directory != NULL && readdir(directory) != NULL)
    ++count;
  if (directory != NULL)
    closedir(directory);
  return count;
}

// Those that stay: another thread may be writing a snapshot, and closes what it opened for that.
static int count_descriptors(void) {
  int least = count_descriptors_now();
  for (int i = 0; i < 10; ++i) {
    usleep(5000);
    const int count = count_descriptors_now();
    least = count < least ? count : least;
  }
  return least;
}

int main(int count, char** arguments) {
  if (count != 3)
    return 2;
  const long end = now_ms() + atol(arguments[2]);
  if (strcmp(arguments[1], "no_ptrace") == 0)
    forbid_ptrace();
  if (strcmp(arguments[1], "dropped") == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
    return 3;
  const int dumpable = prctl(PR_GET_DUMPABLE);
  signal(SIGCHLD, handle);
  struct sigaction action = {0};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGRTMIN, &action, NULL);
  for (int i = 0; i < kLost; ++i)
    make(kLostBytes);
  clear_stack();
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i)
    pthread_create(&threads[i], NULL, i % 4 == 0 ? churn : hold, NULL);
  int seen = 0;
  const int descriptors = count_descriptors();
  while (now_ms() < end) {
    free(malloc(100));
    seen += waitpid(-1, NULL, WNOHANG | __WNOTHREAD) != -1 || errno != ECHILD;
    if (g_sent - g_handled < 100 &&
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}) == 0)
      ++g_sent;
    usleep(500);
  }
  printf("descriptors %s\n", count_descriptors() == descriptors ? "same" : "DIFFERENT");
  g_over = 1;
  for (int i = 0; i < kThreads; ++i)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < 1000 && g_handled != g_sent; ++i)
    usleep(1000);
  printf("children %d %ld\n", seen, g_children);
  printf("signals %s\n", g_sent == g_handled && g_sent > 10 ? "all" : "LOST");
  printf("dumpable %s\n", prctl(PR_GET_DUMPABLE) == dumpable ? "same" : "DIFFERENT");
  return 0;
}
