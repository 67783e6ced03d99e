// A global, a static variable and one local to a function hold blocks, also through others.
// lost: make_lost direct=1:24
#include "lose.h"

void* g_exported[2];
static void* g_static;

struct box {
  void* inner;
};

APART static void* make_inner(void) {
  return malloc(200);
}

APART static struct box* make_box(void) {
  struct box* box = malloc(sizeof(struct box));
  box->inner = make_inner();
  return box;
}

APART static void* make_lost(void) {
  return malloc(24);
}

APART static void keep(void) {
  static void* local;
  static void* initialized = &local;
  g_exported[0] = make_box();
  g_exported[1] = make_box();
  g_static = make_box();
  local = make_box();
  use(initialized);
  use(make_lost());
}

int main(void) {
  keep();
  scrub();
  use(g_exported);
  use(&g_static);
  return 0;
}
