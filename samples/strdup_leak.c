// Copies a name with strdup, which calls malloc inside libc, and drops the copy.
// verdict: growing leak=true function=log_in unreachable=true
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

SAMPLE_FUNCTION static size_t log_in(unsigned long number) {
  char name[80];
  snprintf(name, sizeof name, "a user name of a usual length, number %lu", number);
  char* copy = strdup(name);
  use(copy);
  return strlen(copy);
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), 1000);
  unsigned long users = 0;
  size_t letters = 0;
  while (next_tick(&pace)) {
    letters += log_in(users++);
  }
  printf("%lu users, %zu letters\n", users, letters);
  return 0;
}
