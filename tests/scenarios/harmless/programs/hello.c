// Says hello and ends with 5: built in the ways that no preload can enter.
#include <stdio.h>

int main(void) {
  printf("hello\n");
  return 5;
}
