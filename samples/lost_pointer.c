// Keeps only the last line it parsed, and forgets to free the one before.
// verdict: growing leak=true function=parse_line unreachable=true
#include <stdio.h>
#include <stdlib.h>

#include "samples/pace.h"

enum { kLineBytes = 120 };

static char* g_last_line;

SAMPLE_FUNCTION static void parse_line(unsigned long number) {
  char* line = malloc(kLineBytes);
  snprintf(line, kLineBytes, "line %lu", number);
  g_last_line = line;  // the line before is lost here
  use(g_last_line);
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), 1000);
  unsigned long lines = 0;
  while (next_tick(&pace)) {
    parse_line(lines++);
  }
  printf("%lu lines, the last is \"%s\"\n", lines, g_last_line);
  return 0;
}
