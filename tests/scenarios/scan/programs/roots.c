// roots CASE held|lost: one block of 1337 bytes. Held, a word of the memory that the case is named
// after points to it when the process ends; lost, nothing does.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { kBytes = 1337, kSmall = 24 };

// The block's address, hidden: only the places of the cases hold it as it is.
static uintptr_t hidden;

static void* g_global;
static void* g_table[4096];
static __thread void* t_static;

static __attribute__((noinline)) void make(void) {
  char* block = malloc(kBytes);
  memset(block, 0, kBytes);
  hidden = ~(uintptr_t)block;
}

static void* block(void) {
  return (void*)~hidden;
}

// What earlier calls left on the stack, below all that is still needed.
static __attribute__((noinline)) void clear_stack(void) {
  volatile char room[16384];
  memset((char*)room, 0, sizeof(room));
}

static int held;

static void in_global(void) {
  if (held)
    g_global = block();
}
static void in_table(void) {
  if (held)
    g_table[4000] = block();
}
static void in_tls(void) {
  if (held)
    t_static = block();
}
static void interior(void) {
  if (held)
    g_global = (char*)block() + kBytes - 1;
}
// A pointer behind the end holds nothing.
static void behind(void) {
  g_global = (char*)block() + (held ? 0 : kBytes + 7);
}
static void unaligned(void) {
  memcpy((char*)g_table + (held ? 8 : 3), &(void*){block()}, sizeof(void*));
}
static void in_block(void) {
  void** holder = malloc(64);
  memset(holder, 0, 64);
  holder[3] = block();
  if (held)
    g_global = holder;
}
static void in_itself(void) {
  ((void**)block())[2] = block();
  if (held)
    g_global = block();
}
static void in_map(void) {
  void** map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  map[70000] = held ? block() : NULL;
}
static void in_read_only_map(void) {
  in_map();
  void** map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  map[513] = held ? block() : NULL;
  mprotect(map, 8192, PROT_READ);
}
static void in_shared_map(void) {
  void** map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  map[513] = held ? block() : NULL;
}
// A chunk that is free still holds what was in it.
static void in_free_memory(void) {
  void** stale[40];
  for (int i = 0; i < 40; ++i) {
    stale[i] = malloc(200);
    for (int w = 0; w < 25; ++w)
      stale[i][w] = block();
  }
  if (held)
    g_global = stale[20];
  for (int i = 0; i < 40; ++i) {
    if (!held || i != 20)
      free(stale[i]);
    if (!held || i != 20)
      stale[i] = NULL;
  }
  memset(stale, 0, sizeof(stale));
}
// The lists of libc's allocator point to the end of the block before a free one. All others are
// held.
static void before_free_chunk(void) {
  free(block());
  char* small = NULL;
  for (int i = 0; i < 400 && small == NULL; i += 3) {
    char *first = malloc(kSmall), *next = malloc(2000);
    g_table[i] = first;
    g_table[i + 1] = next;
    g_table[i + 2] = malloc(kSmall);
    if (next - first == 32) {
      small = first;
      free(next);
      g_table[i] = g_table[i + 1] = NULL;
    }
  }
  if (held)
    g_global = small;
}
static void in_library_tls(void) {
  void* library = dlopen(getenv("TLS_LIBRARY"), RTLD_NOW);
  void** (*place)(void) = (void** (*)(void))dlsym(library, "place");
  if (place == NULL)
    abort();
  *place() = held ? block() : NULL;
}
static void* keep_in_thread(void* gate) {
  void* volatile mine[32];
  memset((void*)mine, 0, sizeof(mine));
  mine[16] = held ? block() : NULL;
  pthread_barrier_wait(gate);
  clear_stack();
  while (mine[0] == NULL)
    pause();
  return mine[16];
}
static void* keep_in_thread_tls(void* gate) {
  t_static = held ? block() : NULL;
  clear_stack();
  pthread_barrier_wait(gate);
  while (1)
    pause();
}
// The address is made in the register, and nowhere else.
static void* spin_with_register(void* gate) {
  pthread_barrier_wait(gate);
  clear_stack();
  __asm__ volatile(
      "movq %0, %%r13\n notq %%r13\n testl %1, %1\n jnz 1f\n xorl %%r13d, %%r13d\n"
      "1: pause\n jmp 1b"
      :
      : "r"(hidden), "r"(held)
      : "r13", "memory");
  return NULL;
}
static void* spin_with_vector(void* gate) {
  pthread_barrier_wait(gate);
  clear_stack();
  __asm__ volatile(
      "movq %0, %%rax\n notq %%rax\n testl %1, %1\n jnz 2f\n xorl %%eax, %%eax\n"
      "2: movq %%rax, %%xmm9\n xorl %%eax, %%eax\n1: pause\n jmp 1b"
      :
      : "r"(hidden), "r"(held)
      : "rax", "xmm9", "memory");
  return NULL;
}
static void* leave_on_stack(void* unused) {
  void* volatile mine[4096];
  for (int i = 0; i < 4096; ++i)
    mine[i] = block();
  (void)unused;
  return mine[0] == NULL ? NULL : (void*)1;
}
static void with_thread(void* (*run)(void*)) {
  static pthread_barrier_t gate;
  pthread_t thread;
  pthread_barrier_init(&gate, NULL, 2);
  pthread_create(&thread, NULL, run, &gate);
  pthread_barrier_wait(&gate);
  usleep(30000);
}
static void on_thread_stack(void) {
  with_thread(keep_in_thread);
}
static void in_thread_tls(void) {
  with_thread(keep_in_thread_tls);
}
static void in_register(void) {
  with_thread(spin_with_register);
}
static void in_vector_register(void) {
  with_thread(spin_with_vector);
}
// The stack of a thread that has ended is kept for the next one.
static void on_dead_stack(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, leave_on_stack, NULL);
  pthread_join(thread, NULL);
  if (held)
    g_global = block();
}
static ucontext_t g_main, g_other;
static void coroutine(void) {
  void* volatile mine[16];
  memset((void*)mine, 0, sizeof(mine));
  mine[8] = held ? block() : NULL;
  swapcontext(&g_other, &g_main);
  g_global = mine[8];
}
static void on_other_stack(size_t bytes, int mapped) {
  void* stack = mapped
                    ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                    : malloc(bytes);
  static void* volatile keeps_stack;
  keeps_stack = stack;
  getcontext(&g_other);
  g_other.uc_stack.ss_sp = stack;
  g_other.uc_stack.ss_size = bytes;
  g_other.uc_link = &g_main;
  makecontext(&g_other, coroutine, 0);
  swapcontext(&g_main, &g_other);
}
static void on_coroutine_stack(void) {
  on_other_stack(65536, 0);
}
static void on_mapped_coroutine_stack(void) {
  on_other_stack(65536, 1);
}
static void exit_on_coroutine(void) {
  void* volatile mine[16];
  memset((void*)mine, 0, sizeof(mine));
  mine[8] = held ? block() : NULL;
  exit(0);
}
static void on_stack_at_exit(void) {
  exit_on_coroutine();
}
static void on_own_stack_at_exit(void) {
  static char stack[65536] __attribute__((aligned(64)));
  getcontext(&g_other);
  g_other.uc_stack.ss_sp = stack;
  g_other.uc_stack.ss_size = sizeof(stack);
  makecontext(&g_other, exit_on_coroutine, 0);
  swapcontext(&g_main, &g_other);
}
// The child's blocks; the parent waits, and frees its own.
static void in_child(void) {
  free(block());
  if (fork() == 0) {
    make();
    if (held)
      g_global = block();
    clear_stack();
    exit(0);
  }
  int status;
  wait(&status);
}
// Made by the parent before the fork, lost in the child only: its other threads are not there.
static void parents_block(void) {
  with_thread(keep_in_thread);
  if (!held)
    return;
  if (fork() == 0)
    exit(0);
  int status;
  wait(&status);
}

struct Case {
  const char* name;
  void (*run)(void);
};
#define CASE(name) \
  { #name, name }
static const struct Case kCases[] = {CASE(in_global),
                                     CASE(in_table),
                                     CASE(in_tls),
                                     CASE(interior),
                                     CASE(behind),
                                     CASE(unaligned),
                                     CASE(in_block),
                                     CASE(in_itself),
                                     CASE(in_map),
                                     CASE(in_read_only_map),
                                     CASE(in_shared_map),
                                     CASE(in_free_memory),
                                     CASE(before_free_chunk),
                                     CASE(in_library_tls),
                                     CASE(on_thread_stack),
                                     CASE(in_thread_tls),
                                     CASE(in_register),
                                     CASE(in_vector_register),
                                     CASE(on_dead_stack),
                                     CASE(on_coroutine_stack),
                                     CASE(on_mapped_coroutine_stack),
                                     CASE(on_stack_at_exit),
                                     CASE(on_own_stack_at_exit),
                                     CASE(in_child),
                                     CASE(parents_block)};

int main(int count, char** arguments) {
  if (count != 3)
    return 2;
  held = strcmp(arguments[2], "held") == 0;
  make();
  for (size_t i = 0; i < sizeof(kCases) / sizeof(*kCases); ++i) {
    if (strcmp(kCases[i].name, arguments[1]) == 0) {
      clear_stack();
      kCases[i].run();
      clear_stack();
      return 0;
    }
  }
  return 2;
}
