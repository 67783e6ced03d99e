// Objects of a pool that the program shares out itself, told to seep: most go back to the pool,
// those of forgotten jobs do not. Without seep_pool_alloc only the pool's own memory would be seen.
// verdict: growing leak=true function=start_job
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/seep.h"
#include "samples/pace.h"

enum { kObjectBytes = 64, kObjects = 200000 };

struct object {
  struct object* next;
  char state[kObjectBytes - sizeof(struct object*)];
};

static char* arena;
static size_t used;
static struct object* free_objects;

SAMPLE_FUNCTION struct object* take_object(void) {
  struct object* object = free_objects;
  if (object != NULL) {
    free_objects = object->next;
  } else if (used < kObjects) {
    object = (struct object*)(arena + used++ * kObjectBytes);
  }
  seep_pool_alloc(object, sizeof(*object));
  return object;
}

SAMPLE_FUNCTION void give_back(struct object* object) {
  seep_pool_free(object);
  object->next = free_objects;
  free_objects = object;
}

// Every tenth job is never finished.
SAMPLE_FUNCTION struct object* start_job(unsigned long job) {
  struct object* object = take_object();
  if (object != NULL && job % 10 != 0) {
    give_back(object);
    return NULL;
  }
  return object;
}

int main(int argc, char** argv) {
  struct pace pace = start_pace(duration_argument(argc, argv), 500);
  unsigned long jobs = 0;
  unsigned long lost = 0;
  arena = malloc((size_t)kObjects * kObjectBytes);
  while (next_tick(&pace)) {
    for (int i = 0; i < 10; ++i) {
      lost += start_job(jobs++) != NULL;
    }
  }
  printf("%lu jobs, %lu lost\n", jobs, lost);
  free(arena);
  return 0;
}
