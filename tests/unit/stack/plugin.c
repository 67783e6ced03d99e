// A library that tests load and unload. Compiled twice, with different code, as two libraries.
#include <stddef.h>

int plugin_call(void (*function)(void*), void* argument) {
#if SEEP_PLUGIN_LARGE_FRAME
  volatile char room[512];
  room[0] = 1;
  function(argument);
  return room[0];
#else
  function(argument);
  return 1;
#endif
}
