// forks BLOCKS FORKS: the time of FORKS forks, each child of which leaves at once, by a process
// with BLOCKS live blocks of 16 to 143 bytes. Prints microseconds a fork, and the child's exit
// included.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char** argv) {
  const long blocks = argc > 1 ? atol(argv[1]) : 1000000;
  const long forks = argc > 2 ? atol(argv[2]) : 1000;
  char* volatile* kept = calloc((size_t)blocks, sizeof(*kept));
  for (long i = 0; i < blocks; ++i) {
    kept[i] = malloc((size_t)(16 + i % 128));
    kept[i][0] = 'x';
  }
  const double begin = now_us();
  for (long i = 0; i < forks; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      _exit(0);
    }
    if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
      return 1;
    }
  }
  printf("fork_us %.3f\n", (now_us() - begin) / (double)forks);
  return 0;
}
