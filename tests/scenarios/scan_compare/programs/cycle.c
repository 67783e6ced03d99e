// Rings of three blocks each: no block of a ring is without a pointer to it.
// lost: make_link direct=4:64 indirect=8:128
// lsan: make_link indirect=12:192 because each block of a cycle is pointed to, and it names none
#include "lose.h"

struct link {
  struct link* next;
  long value;
};

APART static struct link* make_link(void) {
  return malloc(sizeof(struct link));
}

APART static void lose(void) {
  for (int i = 0; i < 4; ++i) {
    struct link* ring = make_link();
    ring->next = make_link();
    ring->next->next = make_link();
    ring->next->next->next = ring;
    use(ring);
  }
}

int main(void) {
  lose();
  scrub();
  return 0;
}
