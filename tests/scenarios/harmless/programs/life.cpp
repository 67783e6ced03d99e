// Allocates at every moment of a life: before constructors, in them, in what runs at the end of
// threads and of the process. Each moment prints its name, so that order and number show.
// usage: life [exit | quick | thread_exit]
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "samples/pace.h"

extern "C" void* life_library_block(void);

namespace {

// Not printf: it allocates its buffer, and in the wrong moment for a test about that.
void say(const char* what) {
  if (write(STDOUT_FILENO, what, std::strlen(what)) < 0 || write(STDOUT_FILENO, "\n", 1) < 0) {
    _exit(9);
  }
}

void churn() {
  void* block = std::realloc(std::malloc(30), 3000);
  std::free(block);
  std::free(std::calloc(10, 10));
  delete new std::string(200, 'x');
}

#define SITE(name)                 \
  SAMPLE_FUNCTION void* name() {   \
    void* block = std::malloc(80); \
    use(block);                    \
    return block;                  \
  }
SITE(site_preinit)
SITE(site_early_constructor)
SITE(site_late_constructor)
SITE(site_main)
SITE(site_thread)
SITE(site_thread_end)
SITE(site_key_end)
SITE(site_ifunc)

void* g_from_preinit = nullptr;
void* g_from_ifunc = nullptr;

// Before any constructor, that of libseep.so too.
void preinit(int, char**, char**) {
  g_from_preinit = site_preinit();
  churn();
  say("preinit");
}
__attribute__((section(".preinit_array"), used)) void (*g_preinit)(int, char**, char**) = preinit;

__attribute__((constructor(101))) void early_constructor() {
  site_early_constructor();
  churn();
  say("early constructor");
}
__attribute__((constructor)) void late_constructor() {
  site_late_constructor();
  churn();
  say("late constructor");
}
__attribute__((destructor)) void late_destructor() {
  churn();
  say("destructor");
}

struct Global {
  std::vector<std::string> words{std::string(100, 'a'), std::string(200, 'b')};
  ~Global() {
    churn();
    say("global's destructor");
  }
};
Global g_global;

void at_exit() {
  churn();
  say("atexit");
}
void at_quick_exit_handler() {
  churn();
  say("at_quick_exit");
}
void on_exit_handler(int status, void* block) {
  std::free(block);
  churn();
  say(status == 3 ? "on_exit 3" : "on_exit");
}

struct ThreadLocal {
  std::string text = std::string(300, 't');
  ~ThreadLocal() {
    churn();
    site_thread_end();
    say("thread_local's destructor");
  }
};
thread_local ThreadLocal t_local;

pthread_key_t g_key;
unsigned g_rounds = 0;

// Sets itself again: libc calls it PTHREAD_DESTRUCTOR_ITERATIONS times.
void end_of_key(void* block) {
  std::free(block);
  churn();
  site_key_end();
  if (++g_rounds < 3) {
    pthread_setspecific(g_key, std::malloc(10));
  }
}

void* run_thread(void*) {
  site_thread();
  t_local.text += "more";
  pthread_setspecific(g_key, std::malloc(20));
  churn();
  return nullptr;
}

void* run_after_main(void* main_thread) {
  pthread_join(*static_cast<pthread_t*>(main_thread), nullptr);
  site_thread();
  say("main's thread is over");
  return nullptr;
}

// Called while the loader relocates this program: before anything of it has run.
void real_answer() {
  say("ifunc");
}

}  // namespace

extern "C" {
void (*resolve_answer())() {
  g_from_ifunc = site_ifunc();
  std::free(std::malloc(100));
  return real_answer;
}
void answer() __attribute__((ifunc("resolve_answer")));
}

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "exit";
  say("main");
  answer();
  site_main();
  std::free(life_library_block());
  pthread_key_create(&g_key, end_of_key);
  pthread_t thread;
  pthread_create(&thread, nullptr, run_thread, nullptr);
  pthread_join(thread, nullptr);
  std::free(g_from_preinit);
  std::free(g_from_ifunc);
  std::atexit(at_exit);
  std::at_quick_exit(at_quick_exit_handler);
  on_exit(on_exit_handler, std::malloc(70));
  if (how == "quick") {
    std::quick_exit(3);
  } else if (how == "thread_exit") {
    static pthread_t self = pthread_self();
    pthread_create(&thread, nullptr, run_after_main, &self);
    pthread_exit(nullptr);
  }
  return 3;
}
