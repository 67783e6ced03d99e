// A library that opens another one by its bare name, which its RUNPATH finds beside itself and the
// program's does not, past every preload: as PHP opens its extensions.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

void* finder_open(const char* name) {
  void* volatile library = dlopen(name, RTLD_NOW | RTLD_DEEPBIND);
  return library;
}
