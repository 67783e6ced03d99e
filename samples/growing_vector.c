// A log kept in one block that realloc makes larger, 4 KiB at a time, for ever.
// verdict: growing leak=true function=append_to_log held=g_log
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

enum { kStepBytes = 4096, kEntryBytes = 1024 };

static char* g_log;
static size_t g_used;
static size_t g_reserved;

SAMPLE_FUNCTION static int append_to_log(char mark) {
  if (g_used + kEntryBytes > g_reserved) {
    char* grown = realloc(g_log, g_reserved + kStepBytes);
    if (grown == NULL) {
      return 0;
    }
    use(grown);
    g_log = grown;
    g_reserved += kStepBytes;
  }
  memset(g_log + g_used, mark, kEntryBytes);
  g_used += kEntryBytes;
  return 1;
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), 500);
  while (next_tick(&pace)) {
    if (!append_to_log('x')) {
      return 1;
    }
  }
  printf("%zu bytes logged\n", g_used);
  return 0;
}
