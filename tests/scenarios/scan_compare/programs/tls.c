// Thread-local variables hold blocks in every thread that still runs; one is overwritten.
// lost: make_lost direct=1:48
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "lose.h"

static __thread void* volatile t_held;
static sem_t g_ready;

APART static void* make_held(void) {
  return malloc(96);
}

APART static void* make_lost(void) {
  return malloc(48);
}

APART static void fill(int lose) {
  if (lose) {
    t_held = make_lost();
    use(t_held);
  }
  t_held = make_held();
  use(t_held);
}

static void* run(void* unused) {
  (void)unused;
  fill(0);
  scrub();
  sem_post(&g_ready);
  for (;;) {
    pause();
  }
  return NULL;
}

int main(void) {
  sem_init(&g_ready, 0, 0);
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) {
    pthread_create(&threads[i], NULL, run, NULL);
    pthread_detach(threads[i]);
  }
  for (int i = 0; i < 3; ++i) {
    sem_wait(&g_ready);
  }
  fill(1);
  scrub();
  exit(0);
}
