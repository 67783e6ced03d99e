// Waits in every way there is while other threads allocate: no wait may end before its time.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "tests/scenarios/events/programs/cases.h"

enum { kWaitMs = 250, kBlocks = 400000 };

static const struct timespec kWait = {0, kWaitMs * 1000000L};
static int g_nobody_writes;  // an eventfd

static long wait_poll(void) {
  struct pollfd fd = {.fd = g_nobody_writes, .events = POLLIN};
  return poll(&fd, 1, kWaitMs);
}

static long wait_ppoll(void) {
  struct pollfd fd = {.fd = g_nobody_writes, .events = POLLIN};
  return ppoll(&fd, 1, &kWait, NULL);
}

static long wait_epoll(void) {
  const int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(set, EPOLL_CTL_ADD, g_nobody_writes, &event);
  const long result = epoll_wait(set, &event, 1, kWaitMs);
  const int error = errno;
  close(set);
  errno = error;
  return result;
}

static long wait_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(g_nobody_writes, &set);
  struct timeval time = {0, kWaitMs * 1000L};
  return select(g_nobody_writes + 1, &set, NULL, NULL, &time);
}

static long wait_nanosleep(void) {
  return nanosleep(&kWait, NULL);
}

static long wait_clock_nanosleep(void) {
  return clock_nanosleep(CLOCK_MONOTONIC, 0, &kWait, NULL);
}

static long wait_usleep(void) {
  return usleep(kWaitMs * 1000);
}

// Whole seconds; what it returns is the time that was left.
static long wait_sleep(void) {
  return sleep(1);
}

static long wait_sigtimedwait(void) {
  sigset_t set;
  sigfillset(&set);
  return sigtimedwait(&set, NULL, &kWait);
}

static long wait_futex(void) {
  static int word;
  return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &kWait, NULL, 0);
}

static long wait_semaphore(void) {
  sem_t semaphore;
  struct timespec until;
  sem_init(&semaphore, 0, 0);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += kWait.tv_nsec;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return sem_timedwait(&semaphore, &until);
}

struct Wait {
  const char* name;
  long (*wait)(void);
};

static void wait_each(void) {
  static const struct Wait kWaits[] = {{"poll", wait_poll},
                                       {"ppoll", wait_ppoll},
                                       {"epoll_wait", wait_epoll},
                                       {"select", wait_select},
                                       {"nanosleep", wait_nanosleep},
                                       {"clock_nanosleep", wait_clock_nanosleep},
                                       {"usleep", wait_usleep},
                                       {"sleep", wait_sleep},
                                       {"futex", wait_futex},
                                       {"sem_timedwait", wait_semaphore},
                                       {"sigtimedwait", wait_sigtimedwait}};
  for (size_t i = 0; i < sizeof(kWaits) / sizeof(kWaits[0]); ++i) {
    const long begin = now_ms();
    errno = 0;
    const long result = kWaits[i].wait();
    const int error = errno;
    const long took = now_ms() - begin;
    printf("%s %ld %s %s\n", kWaits[i].name, result, result != 0 ? strerrorname_np(error) : "",
           took >= kWaitMs - 1 ? "in time" : "EARLY");
    fflush(stdout);
  }
}

// With so many blocks that a walker writes the snapshots.
static void among_threads(void) {
  static char* volatile blocks[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc(16);
    blocks[i][0] = 'x';
  }
  pthread_t threads[kThreads];
  start_threads(threads);
  wait_each();
  stop_threads(threads);
}

// One that allocates now and then, so that a walker of the main thread's is under way as it waits.
static void alone(void) {
  static char* volatile blocks[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc(16);
    blocks[i][0] = 'x';
  }
  for (int i = 0; i < 20; ++i) {
    churn_for_ms(15);
    struct timespec left = {0, 0};
    const struct timespec time = {0, 20000000};
    if (nanosleep(&time, &left) != 0) {
      say("EARLY", left.tv_nsec);
    }
  }
  say("done", 1);
}

int main(int argc, char** argv) {
  (void)argc;
  g_nobody_writes = eventfd(0, EFD_CLOEXEC);
  static const struct Case kCases[] = {
      {"among_threads", among_threads}, {"alone", alone}, {NULL, NULL}};
  return run_case(kCases, argv);
}
