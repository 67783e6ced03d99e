// A short test program that does its second argument's worth of work (or SEEP_REPETITION's), and
// prints it. The first argument says what becomes of what each unit of work allocates:
//   leak   it is kept          once   nothing; a table is made at start
//   cache  the first three are kept   same   whatever the work, 20 blocks are lost
//   fails  kept, and the third repetition fails
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

enum { kBytes = 100, kCached = 3, kLostAlways = 20 };

// Volatile, or the compiler would drop a store that nothing reads, and the block would be lost.
static void* volatile g_kept;
static void* volatile g_table;

// Blocks that are kept form a list.
SAMPLE_FUNCTION static void keep_one(void) {
  void** block = malloc(kBytes);
  *block = g_kept;
  g_kept = block;
  use(block);
}

SAMPLE_FUNCTION static void drop_one(void) {
  void* block = malloc(kBytes);
  use(block);
  free(block);
}

SAMPLE_FUNCTION static void make_table(void) {
  g_table = malloc(50000);
  use(g_table);
}

static long work_of(int argc, char** argv) {
  const char* variable = getenv("SEEP_REPETITION");
  const char* text = argc > 2 ? argv[2] : variable != NULL ? variable : "1";
  return strtol(text, NULL, 10);
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  const long work = work_of(argc, argv);
  const int same = strcmp(mode, "same") == 0;
  const int keeps = strcmp(mode, "leak") == 0 || strcmp(mode, "fails") == 0;
  make_table();
  const long units = same ? kLostAlways : work;
  for (long i = 0; i < units; ++i) {
    drop_one();
    if (same || keeps || (strcmp(mode, "cache") == 0 && i < kCached)) {
      keep_one();
    }
  }
  printf("work %ld\n", work);
  return strcmp(mode, "fails") == 0 && work == 4 ? 3 : 0;
}
