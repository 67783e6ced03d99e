// Frees its buffer when a request succeeds and forgets it when one fails: one in ten.
// Both come from the same line, so that most blocks of the leaking stack are freed.
// verdict: growing leak=true function=read_request unreachable=true
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

enum { kRequestBytes = 400 };

SAMPLE_FUNCTION static int read_request(unsigned long number) {
  char* request = malloc(kRequestBytes);
  memset(request, 'r', kRequestBytes);
  use(request);
  if (number % 10 == 0) {
    return -1;  // without free
  }
  free(request);
  return 0;
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), 2000);
  unsigned long requests = 0;
  unsigned long failed = 0;
  while (next_tick(&pace)) {
    failed += read_request(requests++) != 0;
  }
  printf("%lu requests, %lu failed\n", requests, failed);
  return 0;
}
