// Holds much from the start on and grows by little, until stdin ends: what is first depends on how
// rows are ordered. What it holds is more than it gains in a quarter of an hour.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void* volatile g_held;
static void** volatile g_last;

__attribute__((noinline)) static void hold_at_start(void) {
  g_held = malloc(256 << 20);
  memset(g_held, 1, 8 << 20);
}

__attribute__((noinline)) static void grow_slowly(void) {
  void** block = malloc(500);
  *block = (void*)g_last;
  g_last = block;
}

int main(void) {
  hold_at_start();
  fcntl(0, F_SETFL, O_NONBLOCK);
  char byte;
  while (read(0, &byte, 1) != 0) {
    grow_slowly();
    for (int i = 0; i < 64; ++i) {
      void* volatile block = malloc(100);
      free(block);
    }
    usleep(2000);
  }
  return 0;
}
