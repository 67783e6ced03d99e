// A thread ends the program while main waits in it with a block on its stack.
// lost: make_lost direct=1:40
#include <pthread.h>
#include <unistd.h>

#include "lose.h"

APART static void* make_held(void) {
  return malloc(64);
}

APART static void* make_lost(void) {
  return malloc(40);
}

APART static void lose(void) {
  use(make_lost());
}

static void* run(void* unused) {
  (void)unused;
  lose();
  scrub();
  exit(0);
}

int main(void) {
  void* volatile held = make_held();
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  pthread_detach(thread);
  for (;;) {
    pause();
  }
  use((const void*)&held);
  return 0;
}
