// The plugin of plugin_leak.c: one context for each call, never released.
#include <stdlib.h>

#include "samples/pace.h"

struct context {
  unsigned long call;
  char scratch[248];
};

unsigned long plugin_handle(unsigned long call);

unsigned long plugin_handle(unsigned long call) {
  struct context* context = calloc(1, sizeof *context);
  context->call = call + 1;
  use(context);
  return context->call;
}
