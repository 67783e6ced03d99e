// A mapping of the program's own holds a block, and a lost mapping's block is lost.
// lost: make_lost direct=1:56
// lsan: make_held direct=1:120 make_lost direct=1:56 because mappings are no roots unless
// registered
#include <sys/mman.h>

#include "lose.h"

static void** g_page;

APART static void* make_held(void) {
  return malloc(120);
}

APART static void* make_lost(void) {
  return malloc(56);
}

APART static void work(void) {
  g_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_page[100] = make_held();
  use(make_lost());
}

int main(void) {
  work();
  scrub();
  use(g_page);
  return 0;
}
