// Descriptor numbers, standard streams that are closed, file limits.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/scenarios/events/programs/cases.h"

// The lowest free number, as a program sees it.
static int next_descriptor(void) {
  const int fd = open("/dev/null", O_RDWR);
  close(fd);
  return fd;
}

static void say_open_descriptors(void) {
  for (int fd = 0; fd < 2000; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) {
      say("open", fd);
    }
  }
}

// Between snapshots there is none but the program's own, in a child neither.
static void list(void) {
  say_open_descriptors();
  churn_for_ms(100);
  say_open_descriptors();
  const pid_t pid = fork();
  if (pid == 0) {
    churn_for_ms(150);
    say_open_descriptors();
    exit(3);
  }
  say_child("child", pid);
}

// The numbers that the program gets are those that it expects, and it gets as many.
static void numbers(void) {
  churn_for_ms(100);
  say("next", next_descriptor());
  enum { kMost = 1500 };
  static int fds[kMost];
  int count = 0;
  while (count < kMost && (fds[count] = dup(0)) >= 0) {
    ++count;
  }
  say("last", fds[count - 1]);
  say("from the last to the first", fds[count - 1] - fds[0] == count - 1);
  churn_for_ms(100);
  while (count > 0) {
    close(fds[--count]);
  }
  churn_for_ms(100);
  say("next", next_descriptor());
}

// As daemons do: everything is closed, and seep goes on or does not, but touches nothing else.
static void close_everything(void) {
  churn_for_ms(60);
  say_result("close_range", close_range(3, ~0U, 0));
  churn_for_ms(60);
  closefrom(3);
  for (int fd = 3; fd < 1100; ++fd) {
    close(fd);
  }
  churn_for_ms(60);
  say("next", next_descriptor());
}

// After its own number is the program's: what the program has there stays as it is.
static void reuse_numbers(void) {
  churn_for_ms(60);
  close_range(3, ~0U, 0);
  char path[] = "/tmp/seep-descriptors-XXXXXX";
  const int file = mkstemp(path);
  unlink(path);
  for (int fd = 700; fd < 900; ++fd) {
    dup2(file, fd);
  }
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  for (int fd = 900; fd < 1000; ++fd) {
    dup2(ends[0], fd);
  }
  churn_for_ms(150);
  struct stat status;
  int intact = 0;
  for (int fd = 700; fd < 900; ++fd) {
    intact += fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
  }
  for (int fd = 900; fd < 1000; ++fd) {
    intact += fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
  }
  char byte;
  say("intact", intact);
  say_result("nothing was written", recv(ends[1], &byte, 1, MSG_DONTWAIT));
}

// 0, 1 and 2 are closed before the start. What a thread writes to them must fail as ever, while
// another takes snapshots: the result is told by the exit status.
static void* write_to_closed(void* count) {
  for (const long end = now_ms() + 800; now_ms() < end;) {
    for (int fd = 0; fd < 3; ++fd) {
      const long result = write(fd, "from the program\n", 17);
      *(int*)count += result >= 0 || errno != EBADF;
    }
  }
  return NULL;
}

static void closed_stdio(void) {
  int written = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, write_to_closed, &written);
  churn_for_ms(700);
  pthread_join(thread, NULL);
  _exit(written == 0 ? 40 : 41);
}

static void closed_stdio_first_number(void) {
  churn_for_ms(60);
  _exit(60 + open("/dev/null", O_RDWR));
}

// SIGXFSZ is for the program's own files only.
static void small_files(void) {
  const struct rlimit limit = {2000, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
  churn_for_ms(150);
  sigset_t pending;
  sigpending(&pending);
  say("pending", sigismember(&pending, SIGXFSZ));
  churn_for_ms(50);
}

static volatile sig_atomic_t g_too_large;

static void count_too_large(int signal) {
  (void)signal;
  ++g_too_large;
}

static void small_files_with_handler(void) {
  signal(SIGXFSZ, count_too_large);
  small_files();
  char path[] = "/tmp/seep-descriptors-XXXXXX";
  const int file = mkstemp(path);
  unlink(path);
  char text[3000];
  memset(text, 'x', sizeof(text));
  say_result("write", write(file, text, sizeof(text)));
  say("signals", g_too_large);
  say_result("write", write(file, text, sizeof(text)));
  say("signals", g_too_large);
}

// One of the program's own is pending and blocked: it stays.
static void small_files_while_pending(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGXFSZ);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGXFSZ);
  small_files();
}

static void few_descriptors(void) {
  const struct rlimit limit = {16, 16};
  setrlimit(RLIMIT_NOFILE, &limit);
  numbers();
}

static void allocate_only(void) {
  churn_for_ms(300);
  say("done", 1);
}

int main(int argc, char** argv) {
  (void)argc;
  static const struct Case kCases[] = {{"list", list},
                                       {"numbers", numbers},
                                       {"close_everything", close_everything},
                                       {"reuse_numbers", reuse_numbers},
                                       {"closed_stdio", closed_stdio},
                                       {"closed_stdio_first_number", closed_stdio_first_number},
                                       {"small_files", small_files},
                                       {"small_files_with_handler", small_files_with_handler},
                                       {"small_files_while_pending", small_files_while_pending},
                                       {"few_descriptors", few_descriptors},
                                       {"allocate_only", allocate_only},
                                       {NULL, NULL}};
  return run_case(kCases, argv);
}
