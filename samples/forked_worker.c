// Forks a worker that leaks; the parent only turns memory over while it waits.
// verdict: growing leak=true function=serve_job process=child held=g_done
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "samples/pace.h"

struct job {
  struct job* next;
  char input[180];
};

static struct job* g_done;  // the finished jobs, never looked at again

SAMPLE_FUNCTION static void serve_job(unsigned long number) {
  struct job* job = malloc(sizeof *job);
  snprintf(job->input, sizeof job->input, "job %lu", number);
  job->next = g_done;
  g_done = job;
  use(job);
}

SAMPLE_FUNCTION static void check_worker(void) {
  char* note = malloc(64);
  memset(note, 'x', 64);
  use(note);
  free(note);
}

static int run_worker(double seconds) {
  struct pace pace = start_pace(seconds, 500);
  unsigned long jobs = 0;
  while (next_tick(&pace)) {
    serve_job(jobs++);
  }
  return 7;
}

int main(int argc, char** argv) {
  const double seconds = duration_argument(argc, argv);
  const pid_t worker = fork();
  if (worker == 0) {
    exit(run_worker(seconds));
  }
  struct pace pace = start_pace(seconds, 100);
  while (next_tick(&pace)) {
    check_worker();
  }
  int status = 0;
  waitpid(worker, &status, 0);
  printf("worker ended with %d\n", WEXITSTATUS(status));
  return 0;
}
