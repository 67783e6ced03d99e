// Lost owners with what only they point to.
// lost: make_owner direct=5:80 make_payload indirect=10:1000
#include "lose.h"

struct owner {
  void* first;
  void* second;
};

APART static void* make_payload(void) {
  return malloc(100);
}

APART static struct owner* make_owner(void) {
  struct owner* owner = malloc(sizeof(struct owner));
  owner->first = make_payload();
  owner->second = make_payload();
  return owner;
}

APART static void lose(void) {
  for (int i = 0; i < 5; ++i) {
    use(make_owner());
  }
}

int main(void) {
  lose();
  scrub();
  return 0;
}
