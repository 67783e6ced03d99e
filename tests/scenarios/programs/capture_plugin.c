// A plugin of capture_cases. Built twice: the code is the same to the byte and only NAME differs,
// so that the second one, at the place where the first was, has equal return addresses.
#include <stdlib.h>
#include <string.h>

#ifndef NAME
#error "NAME is the plugin's"
#endif

const char plugin_name[32] = NAME;
static char* g_kept;

__attribute__((constructor)) static void load(void) {
  g_kept = malloc(100);
}

__attribute__((destructor)) static void unload(void) {
  free(g_kept);
  free(malloc(200));
}

__attribute__((noinline)) static char* copy_name(void) {
  char* copy = malloc(sizeof plugin_name);
  memcpy(copy, plugin_name, sizeof plugin_name);
  return copy;
}

unsigned plugin_work(unsigned turns) {
  unsigned sum = 0;
  for (unsigned i = 0; i < turns; ++i) {
    char* copy = copy_name();
    sum += (unsigned char)copy[i % sizeof plugin_name];
    free(copy);
  }
  return sum;
}
