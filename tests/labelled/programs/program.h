// What the labelled programs share: a main that calls one behaviour so many times a second, and the
// traffic of a server around it. A program is a table of behaviours; tests/labelled/labels.txt says
// which are run, with which parameters, and what is true of them.
//
//   PROGRAM BEHAVIOUR SECONDS [ticks=100] [noise=0] [NAME=VALUE…]
//
// Ticks are counted, not timed: a run does the same work on a slow machine. `noise` is the traffic
// in megabytes a second, all of it freed within two ticks.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Keeps the function's own frame, so that its name stands in the stacks: not inlined, copied, or
// merged with another one that does the same.
#define NAMED __attribute__((noinline, noclone, no_icf))

struct moment {
  unsigned long tick;
  double share;  // of the run, 0 to 1
};

struct behaviour {
  const char* name;
  void (*tick)(const struct moment* now);
};

// Of each program; the last entry has no name.
extern const struct behaviour behaviours[];

// The value given as NAME=VALUE on the command line.
double parameter(const char* name, double otherwise);
double seconds_to_run(void);
double ticks_a_second(void);

// Random numbers that are the same in every run.
double random_share(void);                        // [0, 1)
double random_exponential(double mean);           // of a life
unsigned long random_below(unsigned long limit);  // 0 … limit - 1
unsigned random_poisson(double mean);

// True so many times a second on average, evenly spread; for one caller a program.
int due(const struct moment* now, double times_a_second);

// The pointer escapes here: the compiler may not drop the allocation before it, nor make a tail
// call of it.
static inline void use(const void* pointer) {
  __asm__ volatile("" : : "g"(pointer) : "memory");
}

#ifdef __cplusplus
}
#endif
