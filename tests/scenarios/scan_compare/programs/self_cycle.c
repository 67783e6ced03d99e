// Blocks that point to themselves only.
// lost: make_block direct=3:72
#include "lose.h"

struct block {
  struct block* self;
  long values[2];
};

APART static struct block* make_block(void) {
  struct block* block = malloc(sizeof(struct block));
  block->self = block;
  return block;
}

APART static void lose(void) {
  for (int i = 0; i < 3; ++i) {
    use(make_block());
  }
}

int main(void) {
  lose();
  scrub();
  return 0;
}
