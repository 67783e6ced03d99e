// The frames of main and of a thread that waits hold blocks while the program exits.
// lost: make_lost direct=2:64
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "lose.h"

static sem_t g_ready;

APART static void* make_held(void) {
  return malloc(80);
}

APART static void* make_lost(void) {
  return malloc(32);
}

APART static void lose(void) {
  use(make_lost());
}

static void* run(void* unused) {
  (void)unused;
  void* volatile held = make_held();
  lose();
  scrub();
  sem_post(&g_ready);
  for (;;) {
    pause();
  }
  use((const void*)&held);
  return NULL;
}

int main(void) {
  void* volatile held[4];
  for (int i = 0; i < 4; ++i) {
    held[i] = make_held();
  }
  sem_init(&g_ready, 0, 0);
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  pthread_detach(thread);
  sem_wait(&g_ready);
  lose();
  scrub();
  use((const void*)held);
  exit(0);
}
