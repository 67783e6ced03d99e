// A binary tree of 1,023 nodes with a name each; the root is lost.
// lost: make_node direct=1:24 indirect=1022:24528 make_name indirect=1023:10230
#include "lose.h"

struct node {
  struct node* left;
  struct node* right;
  char* name;
};

APART static char* make_name(void) {
  return calloc(1, 10);
}

APART static struct node* make_node(void) {
  struct node* node = malloc(sizeof(struct node));
  node->name = make_name();
  return node;
}

APART static struct node* grow(int depth) {
  struct node* node = make_node();
  node->left = depth == 0 ? NULL : grow(depth - 1);
  node->right = depth == 0 ? NULL : grow(depth - 1);
  return node;
}

APART static void lose(void) {
  use(grow(9));
}

int main(void) {
  lose();
  scrub();
  return 0;
}
