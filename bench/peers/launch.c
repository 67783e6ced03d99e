// Runs one program and writes what it took, so that the measuring script's own size is no part of
// it: a child keeps the largest resident size that its parent had at the fork.
//
// usage: launch RESULT [NAME=VALUE…] PROGRAM [ARGUMENT…]
//
// RESULT gets one line: wall time and processor time in nanoseconds, peak resident size in KB of
// the largest process (the program or a child it waited for), and the wait status. The settings
// reach the program only, not this launcher. Ends with the program's status, 128 more than the
// signal that killed it, or 127 when it could not be started.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long to_ns(struct timeval time) {
  return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

static void become(char** words) {
  for (; *words != NULL && strchr(*words, '=') != NULL; ++words) {
    putenv(*words);
  }
  if (*words != NULL) {
    execvp(*words, words);
    perror(*words);
  }
  _exit(127);
}

int main(int count, char** words) {
  if (count < 3) {
    fprintf(stderr, "usage: launch RESULT [NAME=VALUE...] PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  const long long begin = now_ns();
  const pid_t child = fork();
  if (child == 0) {
    become(words + 2);
  }
  int status = 0;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) != child) {
    perror("launch");
    return 127;
  }
  const long long wall = now_ns() - begin;
  FILE* result = fopen(words[1], "w");
  if (result == NULL ||
      fprintf(result, "%lld %lld %ld %d\n", wall, to_ns(usage.ru_utime) + to_ns(usage.ru_stime),
              usage.ru_maxrss, status) < 0 ||
      fclose(result) != 0) {
    perror(words[1]);
    return 127;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
