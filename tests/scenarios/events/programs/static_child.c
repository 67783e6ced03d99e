// A static program: nothing is loaded into it.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  char* volatile block = malloc(100);
  block[0] = 'x';
  puts("static");
  free(block);
  return 8;
}
