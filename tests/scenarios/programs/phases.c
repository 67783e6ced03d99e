// Loses a block a tick, keeps the last ones of another site, and moves one block about: SECONDS
// BYTES FORK, where BYTES is the size of a lost block and FORK the tick at which it forks; both
// processes go on. Lost blocks are written to, so that they are resident.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "samples/pace.h"

enum { kTicksPerSecond = 500, kKept = 100, kKeptBytes = 200, kMovedBytes = 3000 };

static char* g_kept[kKept];
static char* g_moved;

SAMPLE_FUNCTION static void lose_block(size_t bytes) {
  char* block = malloc(bytes);
  memset(block, 'x', bytes);
  use(block);
}

// Each block lives for a fifth of a second.
SAMPLE_FUNCTION static void turn_over(unsigned long tick) {
  char** place = &g_kept[tick % kKept];
  free(*place);
  *place = malloc(kKeptBytes);
  use(*place);
}

SAMPLE_FUNCTION static void move_block(unsigned long tick) {
  g_moved = realloc(g_moved, kMovedBytes + tick % 2 * kMovedBytes);
  use(g_moved);
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), kTicksPerSecond);
  const size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
  const unsigned long fork_at = argc > 3 ? strtoul(argv[3], NULL, 10) : (unsigned long)-1;
  unsigned long ticks = 0;
  pid_t child = -1;
  while (next_tick(&pace)) {
    lose_block(bytes);
    turn_over(ticks);
    move_block(ticks++);
    if (ticks == fork_at) {
      child = fork();
    }
  }
  if (child != 0) {
    wait(NULL);
    printf("%lu ticks\n", ticks);
  }
  return 0;
}
