// Loads a plugin with dlopen and calls it; the plugin leaks (plugin_leak_module.c).
// verdict: growing leak=true function=plugin_handle unreachable=true
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "samples/pace.h"

typedef unsigned long (*PluginHandle)(unsigned long);

// The plugin lies beside the program.
static void* open_plugin(const char* program) {
  const char* slash = strrchr(program, '/');
  char path[4096];
  snprintf(path, sizeof path, "%.*s/libplugin_leak_module.so",
           slash != NULL ? (int)(slash - program) : 1, slash != NULL ? program : ".");
  return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

int main(int argc, char** argv) {
  void* plugin = open_plugin(argv[0]);
  if (plugin == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  PluginHandle handle;
  *(void**)&handle = dlsym(plugin, "plugin_handle");
  struct pace pace = start_pace(duration_argument(argc, argv), 500);
  unsigned long calls = 0;
  while (next_tick(&pace)) {
    calls = handle(calls);
  }
  printf("%lu calls\n", calls);
  dlclose(plugin);
  return 0;
}
