// running CASE: says "ready", goes on with threads and signals until SIGTERM, and says whether
// anything of a scan could be seen: a child, a descriptor, a lost signal, another dumpable flag.
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

enum { kThreads = 20, kHeldBytes = 1337, kLostBytes = 777, kLost = 3, kPatienceMs = 20000 };

static volatile sig_atomic_t g_over;
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
  else if (signal == SIGTERM)
    g_over = 1;
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

static int count_descriptors(void) {
  int count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (directory != NULL && readdir(directory) != NULL)
    ++count;
  if (directory != NULL)
    closedir(directory);
  return count;
}

// A snapshot may be being written, for long where the machine is busy: what it opens for that is
// closed when it is done.
static int are_descriptors(int expected) {
  for (const long end = now_ms() + kPatienceMs; now_ms() < end; usleep(1000)) {
    if (count_descriptors() == expected)
      return 1;
  }
  return 0;
}

int main(int count, char** arguments) {
  if (count != 2)
    return 2;
  if (strcmp(arguments[1], "no_ptrace") == 0)
    forbid_ptrace();
  if (strcmp(arguments[1], "dropped") == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
    return 3;
  const int descriptors = count_descriptors();  // no other thread opens any yet
  const int dumpable = prctl(PR_GET_DUMPABLE);
  signal(SIGCHLD, handle);
  struct sigaction action = {0};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGRTMIN, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  for (int i = 0; i < kLost; ++i)
    make(kLostBytes);
  clear_stack();
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i)
    pthread_create(&threads[i], NULL, i % 4 == 0 ? churn : hold, NULL);
  int seen = 0;
  write(STDOUT_FILENO, "ready\n", 6);
  while (!g_over || g_sent <= 10) {
    free(malloc(100));
    seen += waitpid(-1, NULL, WNOHANG | __WNOTHREAD) != -1 || errno != ECHILD;
    if (g_sent - g_handled < 100 &&
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}) == 0)
      ++g_sent;
    usleep(500);
  }
  for (int i = 0; i < kThreads; ++i)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < kPatienceMs && g_handled != g_sent; ++i)
    usleep(1000);
  printf("descriptors %s\n", are_descriptors(descriptors) ? "same" : "DIFFERENT");
  printf("children %d %ld\n", seen, g_children);
  printf("signals %s\n", g_sent == g_handled ? "all" : "LOST");
  printf("dumpable %s\n", prctl(PR_GET_DUMPABLE) == dumpable ? "same" : "DIFFERENT");
  return 0;
}
