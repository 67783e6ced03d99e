// A window that slides over a file-sized range: each tick maps a new one, unmaps the old one in
// two pieces and moves it by mremap in between. Nothing is left behind.
// verdict: steady leak=false function=map_window kind=mmap
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "samples/pace.h"

enum { kPageBytes = 4096, kWindowBytes = 16 * kPageBytes };

SAMPLE_FUNCTION static char* map_window(void) {
  char* window =
      mmap(NULL, kWindowBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  use(window);
  return window;
}

SAMPLE_FUNCTION static char* grow_window(char* window) {
  char* grown = mremap(window, kWindowBytes, 2 * kWindowBytes, MREMAP_MAYMOVE);
  use(grown);
  return grown;
}

SAMPLE_FUNCTION static void drop_window(char* window) {
  munmap(window + kWindowBytes, kWindowBytes);  // the tail first: splits the mapping
  munmap(window, kWindowBytes);
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), 500);
  unsigned long windows = 0;
  char* current = map_window();
  while (next_tick(&pace)) {
    char* grown = current != MAP_FAILED ? grow_window(current) : MAP_FAILED;
    if (grown == MAP_FAILED) {
      return 1;
    }
    grown[0] = 'x';
    current = map_window();
    drop_window(grown);
    ++windows;
  }
  munmap(current, kWindowBytes);
  printf("%lu windows\n", windows);
  return 0;
}
