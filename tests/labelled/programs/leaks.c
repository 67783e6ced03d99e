// Leaks in plain C: lists, buffers, wrappers, error paths, threads, maps.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/labelled/programs/program.h"

struct node {
  struct node* next;
  char payload[24];
};

static struct node* g_list;

static void keep(struct node* node) {
  node->next = g_list;
  g_list = node;
}

// --- one block at a time

static NAMED void remember_visitor(void) {
  keep(malloc(sizeof(struct node)));
}

static void list(const struct moment* now) {
  while (due(now, parameter("rate", 100))) {
    remember_visitor();
  }
}

static NAMED void log_failure(void) {
  keep(malloc(sizeof(struct node) + random_below(64)));
}

// One request in so many fails.
static void error_path(const struct moment* now) {
  (void)now;
  for (int i = 0; i < 20; ++i) {
    char* request = strdup("GET /index.html");
    use(request);
    if (random_share() < parameter("share", 0.003)) {
      log_failure();
    }
    free(request);
  }
}

static NAMED void start_to_collect(void) {
  keep(calloc(1, sizeof(struct node)));
}

static void late(const struct moment* now) {
  if (now->share > parameter("from", 0.5)) {
    start_to_collect();
  }
}

static NAMED void collect_for_a_while(void) {
  keep(malloc(sizeof(struct node)));
}

static void stopping(const struct moment* now) {
  if (now->share < parameter("until", 0.5)) {
    collect_for_a_while();
  }
}

static NAMED void store_batch(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    keep(malloc(sizeof(struct node)));
  }
}

static void bursts(const struct moment* now) {
  if (now->tick % (unsigned long)(ticks_a_second() * parameter("period", 0.6)) == 10) {
    store_batch(80);
  }
}

static NAMED void note_event(void) {
  keep(malloc(sizeof(struct node)));
}

// Load in waves; the quiet half brings nothing.
static void waves(const struct moment* now) {
  const double in_wave = now->share * parameter("waves", 10);
  if (in_wave - (double)(long)in_wave < 0.5) {
    note_event();
  }
}

static NAMED void extend_history(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    keep(malloc(sizeof(struct node)));
  }
}

static void accelerating(const struct moment* now) {
  extend_history(1 + (unsigned)(10 * now->share));
}

// --- the same function makes what is kept and what is not

static NAMED char* copy_message(size_t bytes) {
  char* copy = malloc(bytes);
  use(copy);
  return copy;
}

static void among_churn(const struct moment* now) {
  for (int i = 0; i < 50; ++i) {
    char* message = copy_message(sizeof(struct node) + random_below(200));
    if (now->tick % 10 == 3 && i == 17) {
      keep((struct node*)(void*)message);
    } else {
      free(message);
    }
  }
}

// --- buffers

static NAMED void append_bytes(size_t step) {
  static char* buffer;
  static size_t used;
  buffer = realloc(buffer, used + step);
  use(memset(buffer + used, 'x', step));
  used += step;
}

static void realloc_step(const struct moment* now) {
  while (due(now, parameter("rate", 10))) {
    append_bytes(48);
  }
}

static NAMED void append_record(void) {
  static long* records;
  static size_t used;
  static size_t room;
  if (used == room) {
    room = room == 0 ? 4 : 2 * room;
    records = realloc(records, room * sizeof(long));
  }
  records[used++] = 1;
  use(records);
}

static void realloc_double(const struct moment* now) {
  (void)now;
  append_record();
}

// --- through wrappers

static NAMED void* xmalloc(size_t bytes) {
  void* block = malloc(bytes);
  if (block == NULL) {
    abort();
  }
  return block;
}

static NAMED char* xstrdup(const char* text) {
  char* copy = xmalloc(strlen(text) + 1);
  use(strcpy(copy, text));
  return copy;
}

static NAMED void set_option(const char* value) {
  static const char* current;
  current = xstrdup(value);  // the old value is lost
  use(current);
}

static void wrapped(const struct moment* now) {
  if (now->tick % 4 == 0) {
    set_option("/var/lib/service/state/current");
  }
}

static NAMED void format_name(unsigned long number) {
  char* name = NULL;
  if (asprintf(&name, "connection-%08lu.log", number) > 0) {
    use(name);
    struct node* node = malloc(sizeof(struct node));
    memcpy(node->payload, &name, sizeof(name));
    keep(node);
  }
}

static void by_asprintf(const struct moment* now) {
  if (now->tick % 5 == 0) {
    format_name(now->tick);
  }
}

static NAMED void read_line_anew(void) {
  FILE* stream = fopen("/proc/self/status", "r");
  char* line = NULL;
  size_t room = 0;
  if (stream != NULL && getline(&line, &room, stream) > 0) {
    use(line);  // never freed
  }
  if (stream != NULL) {
    fclose(stream);
  }
}

static void by_getline(const struct moment* now) {
  if (now->tick % 10 == 0) {
    read_line_anew();
  }
}

// --- many ways to one place

static NAMED void open_handle(void) {
  keep(malloc(sizeof(struct node)));
}

typedef void (*step)(unsigned way);
static void take_way(unsigned way);

#define WAY(n)                                  \
  static NAMED void through_##n(unsigned way) { \
    take_way(way / 7);                          \
    use(&g_list);                               \
  }
WAY(0)
WAY(1)
WAY(2)
WAY(3)
WAY(4)
WAY(5)
WAY(6)

static void take_way(unsigned way) {
  static const step ways[] = {through_0, through_1, through_2, through_3,
                              through_4, through_5, through_6};
  if (way == 0) {
    open_handle();
  } else {
    ways[way % 7](way);
  }
}

static void many_paths(const struct moment* now) {
  (void)now;
  take_way(1 + (unsigned)random_below(60));
}

// --- elsewhere than in the main thread's heap

static NAMED void queue_result(void) {
  keep(calloc(1, sizeof(struct node)));
}

static void* work(void* tick) {
  (void)tick;
  queue_result();
  return NULL;
}

static void in_threads(const struct moment* now) {
  if (now->tick % 5 != 0) {
    return;
  }
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, NULL) == 0) {
    pthread_join(thread, NULL);
  }
}

static NAMED void map_segment(void) {
  char* segment = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (segment != MAP_FAILED) {
    segment[0] = 1;
    use(segment);
  }
}

static void maps(const struct moment* now) {
  if (now->tick % 20 == 0) {
    map_segment();
  }
}

static NAMED void reserve_frame(void) {
  void* frame = aligned_alloc(64, 256);
  struct node* node = malloc(sizeof(struct node));
  memcpy(node->payload, &frame, sizeof(frame));
  keep(node);
}

static void aligned(const struct moment* now) {
  if (now->tick % 6 == 0) {
    reserve_frame();
  }
}

static NAMED void load_image(void) {
  struct node* image = malloc(1 << 20);
  memset(image->payload, 1, sizeof(image->payload));
  keep(image);
}

static void large_blocks(const struct moment* now) {
  while (due(now, parameter("rate", 2))) {
    load_image();
  }
}

// --- an arena whose chunks are never given back, since one object in each stays in use

static NAMED void* arena_take(size_t bytes) {
  static char* chunk;
  static size_t left;
  if (left < bytes) {
    chunk = malloc(32768);
    left = 32768 - sizeof(struct node);
    keep((struct node*)(void*)chunk);
  }
  left -= bytes;
  return chunk + sizeof(struct node) + left;
}

static NAMED void compile_rule(void) {
  use(arena_take(160 + 16 * random_below(10)));
}

static void arena(const struct moment* now) {
  (void)now;
  for (int i = 0; i < 4; ++i) {
    compile_rule();
  }
}

const struct behaviour behaviours[] = {
    {"list", list},
    {"error_path", error_path},
    {"late", late},
    {"stopping", stopping},
    {"bursts", bursts},
    {"waves", waves},
    {"accelerating", accelerating},
    {"among_churn", among_churn},
    {"realloc_step", realloc_step},
    {"realloc_double", realloc_double},
    {"wrapped", wrapped},
    {"by_asprintf", by_asprintf},
    {"by_getline", by_getline},
    {"many_paths", many_paths},
    {"in_threads", in_threads},
    {"maps", maps},
    {"aligned", aligned},
    {"large_blocks", large_blocks},
    {"arena", arena},
    {NULL, NULL},
};
