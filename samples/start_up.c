// Loads a table in one burst when it starts and keeps it; the work after that frees what it takes.
// verdict: one-time leak=false function=load_table
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

enum { kEntries = 5000 };

static char* g_table[kEntries];

SAMPLE_FUNCTION static void load_table(void) {
  for (int i = 0; i < kEntries; ++i) {
    g_table[i] = malloc(100);
    snprintf(g_table[i], 100, "entry %d", i);
    use(g_table[i]);
  }
}

SAMPLE_FUNCTION static size_t look_up(unsigned long key) {
  char* copy = malloc(100);
  memcpy(copy, g_table[key % kEntries], 100);
  const size_t length = strlen(copy);
  use(copy);
  free(copy);
  return length;
}

int main(int argc, char** argv) {
  load_table();
  struct pace pace = start_pace(duration_argument(argc, argv), 1000);
  unsigned long keys = 0;
  size_t letters = 0;
  while (next_tick(&pace)) {
    letters += look_up(keys++);
  }
  printf("%lu look-ups, %zu letters\n", keys, letters);
  return 0;
}
