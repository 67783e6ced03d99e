// Maps a buffer for each upload and never unmaps it: no allocator is involved.
// verdict: growing leak=true function=map_upload kind=mmap
#include <stdio.h>
#include <sys/mman.h>

#include "samples/pace.h"

enum { kUploadBytes = 64 * 1024 };

SAMPLE_FUNCTION static int map_upload(void) {
  char* upload =
      mmap(NULL, kUploadBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (upload == MAP_FAILED) {
    return 0;
  }
  upload[0] = 'x';
  use(upload);
  return 1;
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), 200);
  unsigned long uploads = 0;
  while (next_tick(&pace)) {
    uploads += (unsigned long)map_upload();
  }
  printf("%lu uploads\n", uploads);
  return 0;
}
