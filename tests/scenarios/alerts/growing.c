// Grows past the limits that its test has set, as stdin says (g to grow, e to become this program
// anew), until that says q or ends. It uses children and signals as programs do: it counts waits
// that find a child which it never made, SIGCHLD, and the descriptors and threads that it has not
// made itself.
//   growing MEGABYTES [subreaper] [ignore-child]
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t g_told;

static void on_child(int signal) {
  (void)signal;
  ++g_told;
}

static int count_entries(const char* path) {
  DIR* directory = opendir(path);
  int count = 0;
  while (directory != NULL && readdir(directory) != NULL) {
    ++count;
  }
  closedir(directory);
  return count;
}

// A look at the clock in each round; and children of all kinds are asked for.
static long go_round(void) {
  long strangers = 0;
  for (int i = 0; i < 64; ++i) {
    void* volatile block = malloc(100);  // not left out by the compiler
    free(block);
  }
  int status;
  strangers += waitpid(-1, &status, WNOHANG) > 0;
  strangers += waitpid(-1, &status, WNOHANG | __WALL) > 0;
  usleep(2000);
  return strangers;
}

static void** g_last;

static void grow(long bytes) {
  for (long done = 0; done < bytes; done += 4096) {
    void** block = malloc(4096);
    memset(block, 1, 4096);
    *block = (void*)g_last;
    g_last = block;
  }
}

int main(int argc, char** argv) {
  int ignores = 0;
  for (int i = 2; i < argc; ++i) {
    ignores |= strcmp(argv[i], "ignore-child") == 0;
    if (strcmp(argv[i], "subreaper") == 0) {
      prctl(PR_SET_CHILD_SUBREAPER, 1);
    }
  }
  signal(SIGCHLD, ignores ? SIG_IGN : on_child);
  signal(SIGUSR1, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  fcntl(0, F_SETFL, O_NONBLOCK);
  const int inherited = dup2(open("/dev/zero", O_RDONLY), 77);  // without FD_CLOEXEC
  const int descriptors = count_entries("/proc/self/fd");
  setbuf(stdout, NULL);
  char word = 0;
  long strangers = 0;
  const long step = atol(argv[1]) << 20;
  while (word != 'q') {
    const ssize_t got = read(0, &word, 1);
    if (got == 0) {
      return 2;  // the test is gone
    }
    if (got == 1 && word == 'g') {
      grow(step);
      puts("grown");
    } else if (got == 1 && word == 'e') {
      execl("/proc/self/exe", argv[0], argv[1], (char*)NULL);
    }
    strangers += go_round();
  }
  printf("strangers %ld told %d descriptors %d threads %d\n", strangers, (int)g_told,
         count_entries("/proc/self/fd") - descriptors, count_entries("/proc/self/task") - 2);
  return inherited == 77 ? 0 : 1;
}
