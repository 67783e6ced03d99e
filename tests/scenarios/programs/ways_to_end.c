// Holds 100 blocks of 64 bytes and ends in the way that the first argument names.
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "samples/pace.h"

enum { kBlocks = 100, kBytes = 64 };

static char* g_blocks[kBlocks];

SAMPLE_FUNCTION static void hold_blocks(void) {
  for (int i = 0; i < kBlocks; ++i) {
    g_blocks[i] = malloc(kBytes);
    memset(g_blocks[i], 'x', kBytes);
    use(g_blocks[i]);
  }
}

static void end_by_exec(void) {
  char* const arguments[] = {"true", NULL};
  execv("/bin/true", arguments);
}

// A failed exec must leave the program tracked.
static void end_after_failed_exec(void) {
  char* const arguments[] = {"none", NULL};
  execv("/nonexistent/program", arguments);
  exit(3);
}

int main(int argc, char** argv) {
  const char* way = argc > 1 ? argv[1] : "";
  hold_blocks();
  if (strcmp(way, "exit") == 0) {
    exit(3);
  } else if (strcmp(way, "_exit") == 0) {
    _exit(3);
  } else if (strcmp(way, "_Exit") == 0) {
    _Exit(3);
  } else if (strcmp(way, "quick_exit") == 0) {
    quick_exit(3);
  } else if (strcmp(way, "exec") == 0) {
    end_by_exec();
  } else if (strcmp(way, "failed_exec") == 0) {
    end_after_failed_exec();
  } else if (strcmp(way, "abort") == 0) {
    abort();
  } else if (strcmp(way, "sigterm") == 0) {
    raise(SIGTERM);
  }
  return 3;
}
