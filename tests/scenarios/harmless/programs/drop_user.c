// A daemon that starts as root and gives it up after a while, for good. Allocates until it is
// ended. usage: drop_user UID
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "samples/pace.h"

static void allocate_for_ms(unsigned ms) {
  const struct timespec nap = {0, 1000000};
  for (unsigned i = 0; i < ms; ++i) {
    for (unsigned k = 0; k < 100; ++k) {
      void* block = malloc(k);
      use(block);
      free(block);
    }
    nanosleep(&nap, NULL);
  }
}

int main(int argc, char** argv) {
  const uid_t user = argc > 1 ? (uid_t)atoi(argv[1]) : 0;
  allocate_for_ms(200);
  if (setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0) {
    return 3;
  }
  allocate_for_ms(60000);
  return 0;
}
