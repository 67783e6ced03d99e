// Builds its configuration twice and forgets the first one: nothing grows, and a list with all its
// names is lost when the program ends.
// verdict: one-time leak=true function=load_options unreachable=true
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

enum { kOptions = 200 };

struct option {
  struct option* next;
  char* name;
};

static struct option* g_options;

SAMPLE_FUNCTION static void load_options(void) {
  g_options = NULL;  // a list that was there before is lost here
  for (int i = 0; i < kOptions; ++i) {
    struct option* option = malloc(sizeof(struct option));
    option->name = malloc(24);
    snprintf(option->name, 24, "option-%d", i);
    option->next = g_options;
    g_options = option;
    use(option);
  }
}

SAMPLE_FUNCTION static size_t look_up(unsigned long number) {
  const struct option* option = g_options;
  for (unsigned long i = number % kOptions; i > 0; --i) {
    option = option->next;
  }
  char* name = strdup(option->name);
  const size_t length = strlen(name);
  use(name);
  free(name);
  return length;
}

int main(int argc, char** argv) {
  load_options();
  load_options();
  struct pace pace = start_pace(duration_argument(argc, argv), 1000);
  unsigned long number = 0;
  size_t letters = 0;
  while (next_tick(&pace)) {
    letters += look_up(number++);
  }
  printf("%lu look-ups, %zu letters\n", number, letters);
  return 0;
}
