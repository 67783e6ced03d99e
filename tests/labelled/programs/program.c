#include "tests/labelled/programs/program.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kTrafficBlocks = 64 };

static int g_argc;
static char** g_argv;
static uint64_t g_random = 0x9E3779B97F4A7C15U;
static double g_due;

double parameter(const char* name, double otherwise) {
  const size_t length = strlen(name);
  for (int i = 3; i < g_argc; ++i) {
    if (strncmp(g_argv[i], name, length) == 0 && g_argv[i][length] == '=') {
      return strtod(g_argv[i] + length + 1, NULL);
    }
  }
  return otherwise;
}

double seconds_to_run(void) {
  return strtod(g_argv[2], NULL);
}

double ticks_a_second(void) {
  return parameter("ticks", 100);
}

// xorshift64* (Vigna, ACM TOMS 42, 2016).
static uint64_t next_random(void) {
  g_random ^= g_random >> 12;
  g_random ^= g_random << 25;
  g_random ^= g_random >> 27;
  return g_random * 0x2545F4914F6CDD1DU;
}

double random_share(void) {
  return (double)(next_random() >> 11) / (double)(1ULL << 53);
}

double random_exponential(double mean) {
  return -mean * log(1 - random_share());
}

unsigned long random_below(unsigned long limit) {
  return (unsigned long)(random_share() * (double)limit);
}

unsigned random_poisson(double mean) {
  unsigned count = 0;
  for (double t = random_exponential(1); t < mean; t += random_exponential(1)) {
    ++count;
  }
  return count;
}

int due(const struct moment* now, double times_a_second) {
  const double seconds = (double)now->tick / ticks_a_second();
  if (g_due > seconds * times_a_second) {
    return 0;
  }
  g_due += 1;
  return 1;
}

// A request: read into one buffer, parsed into small pieces, answered from another. The pieces of
// one tick are freed in the next.
static NAMED char* read_request(size_t bytes) {
  char* request = malloc(bytes);
  use(memset(request, 'r', bytes < 64 ? bytes : 64));
  return request;
}

static NAMED char* parse_field(const char* request) {
  char* field = malloc(16 + random_below(100));
  use(memcpy(field, request, 16));
  return field;
}

static NAMED char* render_answer(size_t bytes) {
  char* answer = calloc(1, bytes);
  use(answer);
  return answer;
}

static void serve_traffic(double bytes) {
  static char* fields[kTrafficBlocks];
  for (int i = 0; i < kTrafficBlocks; ++i) {
    free(fields[i]);
    fields[i] = NULL;
  }
  for (double served = 0; served < bytes;) {
    const size_t size = 512 + random_below(8192);
    char* request = read_request(size);
    char* answer = render_answer(2 * size);
    const unsigned long field = random_below(kTrafficBlocks);
    free(fields[field]);
    fields[field] = parse_field(request);
    served += 3.0 * (double)size;
    free(answer);
    free(request);
  }
}

static void wait_until(struct timespec* next, long period_ns) {
  next->tv_nsec += period_ns;
  while (next->tv_nsec >= 1000000000L) {
    next->tv_nsec -= 1000000000L;
    ++next->tv_sec;
  }
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR) {
  }
}

static const struct behaviour* find_behaviour(const char* name) {
  for (const struct behaviour* it = behaviours; it->name != NULL; ++it) {
    if (strcmp(it->name, name) == 0) {
      return it;
    }
  }
  return NULL;
}

int main(int argc, char** argv) {
  const struct behaviour* behaviour = argc > 2 ? find_behaviour(argv[1]) : NULL;
  if (behaviour == NULL) {
    fprintf(stderr, "usage: %s BEHAVIOUR SECONDS [NAME=VALUE…]\n", argv[0]);
    return 2;
  }
  g_argc = argc;
  g_argv = argv;
  const double rate = ticks_a_second();
  const double noise = parameter("noise", 0) * 1e6 / rate;
  const unsigned long ticks = (unsigned long)(seconds_to_run() * rate);
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (unsigned long tick = 0; tick < ticks; ++tick) {
    const struct moment now = {tick, (double)tick / (double)ticks};
    if (noise > 0) {
      serve_traffic(noise);
    }
    behaviour->tick(&now);
    wait_until(&next, (long)(1e9 / rate));
  }
  return 0;
}
