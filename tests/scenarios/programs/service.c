// A small service of which several builds are compared: it keeps a cache, answers requests with
// buffers that it frees, and loads tables at start-up. SEEP_BUILD_LEAKS adds a leak,
// SEEP_BUILD_MOVES a function in front and so another line for everything.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

enum { kPages = 64, kTables = 300 };

static char* g_pages[kPages];
static char* g_tables[kTables];

#if defined(SEEP_BUILD_MOVES) || defined(SEEP_BUILD_LEAKS)
static char* g_banner;

SAMPLE_FUNCTION static void load_banner(void) {
  g_banner = malloc(77);
  memset(g_banner, '*', 77);
  use(g_banner);
}
#endif

SAMPLE_FUNCTION static void load_tables(void) {
  for (int i = 0; i < kTables; ++i) {
    g_tables[i] = malloc(200 + i % 10);
    use(g_tables[i]);
  }
}

SAMPLE_FUNCTION static void remember_page(unsigned long number) {
  char** page = &g_pages[number % kPages];
  free(*page);
  *page = malloc(1000 + number % 100);
  use(*page);
}

SAMPLE_FUNCTION static unsigned long answer(unsigned long number) {
  char* buffer = malloc(300 + number % 50);
  memset(buffer, 'a', 300);
  use(buffer);
  const unsigned long first = (unsigned long)buffer[0];
  free(buffer);
  return first;
}

#ifdef SEEP_BUILD_LEAKS
struct entry {
  struct entry* next;
  char* text;
};
static struct entry* g_log;

SAMPLE_FUNCTION static void log_request(unsigned long number) {
  struct entry* entry = malloc(sizeof *entry);
  entry->text = strdup("a request that is remembered for ever");
  entry->next = g_log;
  g_log = entry;
  use(&number);
}
#endif

SAMPLE_FUNCTION static unsigned long handle_request(unsigned long number) {
  remember_page(number);
#ifdef SEEP_BUILD_LEAKS
  log_request(number);
#endif
  return answer(number);
}

int main(int argc, char** argv) {
#if defined(SEEP_BUILD_MOVES) || defined(SEEP_BUILD_LEAKS)
  load_banner();
#endif
  load_tables();
  struct pace pace = start_pace(duration_argument(argc, argv), 1000);
  unsigned long number = 0;
  unsigned long sum = 0;
  while (next_tick(&pace)) {
    sum += handle_request(number++);
  }
  printf("%lu requests, %lu\n", number, sum);
  return 0;
}
