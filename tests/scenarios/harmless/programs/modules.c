// Libraries that come and go, in the program's namespace and in others.
// usage: modules storm PLUGIN_A PLUGIN_B SECONDS | namespaces PLUGIN COUNT | find FINDER NAME COUNT
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "samples/pace.h"

static double g_end;
static unsigned g_wrong;
static unsigned long g_opened;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

typedef void* (*make_block)(unsigned);

// Opens, allocates in it, closes, frees what it made.
static void* open_and_close(void* path) {
  while (now() < g_end) {
    void* library = dlopen(path, RTLD_NOW | (rand() % 2 == 0 ? RTLD_DEEPBIND : 0));
    make_block make = library == NULL ? NULL : (make_block)dlsym(library, "plugin_block");
    if (make == NULL) {
      __atomic_fetch_add(&g_wrong, 1, __ATOMIC_RELAXED);
      continue;
    }
    void* blocks[20];
    for (unsigned i = 0; i < 20; ++i) {
      blocks[i] = make(i * 30);
    }
    if (dlclose(library) != 0) {
      __atomic_fetch_add(&g_wrong, 1, __ATOMIC_RELAXED);
    }
    for (unsigned i = 0; i < 20; ++i) {
      free(blocks[i]);
    }
    __atomic_fetch_add(&g_opened, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void* allocate(void* unused) {
  while (now() < g_end) {
    for (unsigned i = 0; i < 100; ++i) {
      free(realloc(malloc(i), i + 100));
    }
  }
  return unused;
}

static void storm(char** plugins, double seconds) {
  pthread_t threads[6];
  g_end = now() + seconds;
  for (unsigned i = 0; i < 6; ++i) {
    pthread_create(&threads[i], NULL, i < 4 ? open_and_close : allocate, plugins[i % 2]);
  }
  for (unsigned i = 0; i < 6; ++i) {
    pthread_join(threads[i], NULL);
  }
  printf("wrong %u, any opened %d\n", g_wrong, g_opened > 10);
}

SAMPLE_FUNCTION static void* site_beside_namespaces(void) {
  void* block = malloc(88);
  use(block);
  return block;
}

// Each namespace has a libc of its own: what is made there is freed there.
static void namespaces(const char* plugin, unsigned count) {
  unsigned opened = 0;
  for (unsigned i = 0; i < count; ++i) {
    void* library = dlmopen(LM_ID_NEWLM, plugin, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
      printf("dlmopen: %s\n", dlerror());
      continue;
    }
    make_block make = (make_block)dlsym(library, "plugin_block");
    void (*drop)(void*) = (void (*)(void*))dlsym(library, "plugin_free");
    for (unsigned k = 0; k < 50; ++k) {
      drop(make(k * 10));
    }
    make(1000);
    site_beside_namespaces();
    opened += dlclose(library) == 0 ? 1 : 0;
  }
  printf("namespaces: %u\n", opened);
}

// A library finds another one, which is bound to libc before all others.
static void find(const char* finder, const char* name, unsigned count) {
  void* library = dlopen(finder, RTLD_NOW);
  void* (*open)(const char*) =
      library == NULL ? NULL : (void* (*)(const char*))dlsym(library, "finder_open");
  void* found = open == NULL ? NULL : open(name);
  make_block make = found == NULL ? NULL : (make_block)dlsym(found, "plugin_block");
  for (unsigned i = 0; make != NULL && i < count; ++i) {
    make(40);
  }
  printf("found %d\n", make != NULL);
}

int main(int argc, char** argv) {
  if (argc == 5 && strcmp(argv[1], "storm") == 0) {
    storm(argv + 2, atof(argv[4]));
  } else if (argc == 4 && strcmp(argv[1], "namespaces") == 0) {
    namespaces(argv[2], (unsigned)atoi(argv[3]));
  } else if (argc == 5 && strcmp(argv[1], "find") == 0) {
    find(argv[2], argv[3], (unsigned)atoi(argv[4]));
  } else {
    return 2;
  }
  return g_wrong == 0 ? 0 : 1;
}
