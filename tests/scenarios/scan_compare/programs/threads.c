// Threads that end leave blocks behind; what their stacks held is lost with them.
// lost: make_left direct=8:512
#include <pthread.h>

#include "lose.h"

static void* g_results[8];

APART static void* make_left(void) {
  return malloc(64);
}

APART static void* make_result(void) {
  return malloc(16);
}

static void* run(void* unused) {
  (void)unused;
  void* volatile left = make_left();
  use((const void*)&left);
  return make_result();
}

APART static void work(void) {
  for (int i = 0; i < 8; ++i) {
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, &g_results[i]);
  }
}

int main(void) {
  work();
  scrub();
  use(g_results);
  return 0;
}
