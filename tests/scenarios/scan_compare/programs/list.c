// A list of 1,000 whose head is lost.
// lost: make_node direct=1:32 indirect=999:31968
#include "lose.h"

struct node {
  struct node* next;
  char value[24];
};

APART static struct node* make_node(void) {
  return calloc(1, sizeof(struct node));
}

APART static void lose(void) {
  struct node* head = NULL;
  for (int i = 0; i < 1000; ++i) {
    struct node* node = make_node();
    node->next = head;
    head = node;
  }
  use(head);
}

int main(void) {
  lose();
  scrub();
  return 0;
}
