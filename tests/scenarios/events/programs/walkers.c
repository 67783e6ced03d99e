// What is closed must be closed: the reader of a pipe sees its end, a lock is free, a port can be
// bound again. With so many blocks alive snapshots are written by a walker, a task that must not
// keep a copy of the descriptors. And while it runs, the program may enter namespaces, which the
// kernel refuses to who shares its working directory with another task.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <sys/socket.h>

#include "tests/scenarios/events/programs/cases.h"

enum { kBlocks = 1000000, kSeconds = 3 };

static void allocate(void) {
  for (int i = 0; i < 64; ++i) {
    void* volatile block = malloc(100);
    free(block);
  }
}

static void** volatile g_last;  // keeps the compiler from leaving the blocks out

static void fill_heap(void) {
  for (int i = 0; i < kBlocks; ++i) {
    void** block = malloc(40);
    *block = (void*)g_last;
    g_last = block;
  }
}

static int pipe_stays_open(void) {
  int ends[2];
  if (pipe(ends) != 0) {
    return 1;
  }
  allocate();
  close(ends[1]);
  struct pollfd reader = {.fd = ends[0], .events = POLLIN};
  const int open = poll(&reader, 1, 0) != 1;
  close(ends[0]);
  return open;
}

static int lock_stays_held(void) {
  const int first = open("lock.file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (first < 0 || flock(first, LOCK_EX | LOCK_NB) != 0) {
    return 1;
  }
  allocate();
  close(first);
  const int second = open("lock.file", O_RDWR | O_CLOEXEC);
  const int held = flock(second, LOCK_EX | LOCK_NB) != 0;
  close(second);
  return held;
}

// On an address of its own among those of this machine: of the usual one, another program may get
// the port as soon as it is free.
static int port_stays_bound(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(0x7f400000U + (uint32_t)getpid() % 0x3fffffU);  // 127.64.0.0/10
  socklen_t size = sizeof(address);
  const int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(first, (struct sockaddr*)&address, size) != 0 ||
      getsockname(first, (struct sockaddr*)&address, &size) != 0) {
    return 1;
  }
  allocate();
  close(first);
  const int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int bound = bind(second, (struct sockaddr*)&address, sizeof(address)) != 0;
  close(second);
  return bound;
}

static void descriptors(void) {
  fill_heap();
  long pipes = 0;
  long locks = 0;
  long ports = 0;
  for (const time_t end = time(NULL) + kSeconds; time(NULL) < end;) {
    pipes += pipe_stays_open();
    locks += lock_stays_held();
    ports += port_stays_bound();
  }
  say("pipes still open", pipes);
  say("locks still held", locks);
  say("ports still bound", ports);
}

static void namespaces(void) {
  fill_heap();
  const int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  long refused = 0;
  for (const time_t end = time(NULL) + kSeconds; time(NULL) < end;) {
    allocate();
    refused += setns(own, CLONE_NEWNS) != 0;
  }
  say("refused", refused);
}

// The first child after this is the init of a new namespace: no task of anybody else's may be it.
static void new_pids(void) {
  fill_heap();
  if (unshare(CLONE_NEWPID) != 0) {
    return say("not possible", errno);
  }
  for (const long end = now_ms() + 1000; now_ms() < end;) {
    churn(200);
  }
  pid_t children[2];
  for (int turn = 0; turn < 2; ++turn) {
    children[turn] = fork();
    if (children[turn] == 0) {
      pause();
    }
    say("child", children[turn] > 0);
    churn(200);
  }
  for (int turn = 1; turn >= 0; --turn) {  // an init ends behind all others
    if (children[turn] > 0) {
      kill(children[turn], SIGKILL);
      waitpid(children[turn], NULL, 0);
    }
  }
}

// The next thread may take a snapshot while the one that made the last walker has not run yet.
static void threads(void) {
  pthread_t ids[kThreads];
  fill_heap();
  start_threads(ids);
  sleep(kSeconds);
  stop_threads(ids);
  say("done", 1);
}

// libc's paths for one thread are taken as long as it says so; a second thread ends them for good.
static void one_thread(void) {
  fill_heap();
  long children = 0;
  for (const long end = now_ms() + 1000; now_ms() < end;) {
    churn(200);
    int status;
    children += waitpid(-1, &status, WNOHANG) != -1 || errno != ECHILD;
  }
  say("single threaded", __libc_single_threaded);
  const int result = unshare(CLONE_NEWUSER);  // not for a process of several threads
  say("new user namespace", result == 0 || errno != EINVAL);
  say("children", children);
}

static int leave_with_5(void* unused) {
  (void)unused;
  return 5;
}

// One that only __WALL and __WCLONE show.
static pid_t start_silent_child(void) {
  static char stack[16384];
  return clone(leave_with_5, stack + sizeof(stack), 0, NULL);
}

// Waits in every way for a child that is there, 0: for none. 1 for another answer than that.
static int has_stranger(int way, pid_t child) {
  int status = 0;
  struct rusage usage;
  siginfo_t info = {.si_pid = 0};
  errno = 0;
  pid_t found = 0;
  switch (way) {
    case 0:
      found = waitpid(-1, &status, __WALL);
      break;
    case 1:
      found = wait4(0, &status, __WALL, &usage);
      break;
    case 2:
      found = wait3(&status, __WALL, &usage);
      break;
    case 3:
      found = waitpid(-getpgrp(), &status, __WALL | (child == 0 ? WNOHANG : 0));
      break;
    case 4:
      found = waitid(P_ALL, 0, &info, __WCLONE | WEXITED) == 0 ? info.si_pid : -1;
      break;
    case 5:
      found = waitpid(-1, &status, __WCLONE | (child == 0 ? WNOHANG : 0));
      break;
  }
  if (child == 0) {
    return found != -1 || errno != ECHILD;
  }
  return found != child || (way == 4 ? info.si_status != 5 : WEXITSTATUS(status) != 5);
}

// As tracers wait: for children of every kind.
static void every_kind(void) {
  fill_heap();
  long strangers = 0;
  int turn = 0;
  for (const long end = now_ms() + 2000; now_ms() < end; ++turn) {
    churn(200);
    strangers += has_stranger(turn % 6, 0);
    if (turn % 50 == 0) {
      for (int way = 0; way < 6; ++way) {
        strangers += has_stranger(way, start_silent_child());
      }
    }
  }
  say("strangers", strangers);
}

static const struct Case kCases[] = {{"descriptors", descriptors},
                                     {"namespaces", namespaces},
                                     {"threads", threads},
                                     {"one_thread", one_thread},
                                     {"every_kind", every_kind},
                                     {"new_pids", new_pids},
                                     {NULL, NULL}};

int main(int argc, char** argv) {
  (void)argc;
  return run_case(kCases, argv);
}
