// A program with a thread-safe PHP in it (libphp.so): threads that run several requests each, and
// many threads one after the other that run one. usage: threads SCRIPT
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int php_embed_init(int count, char** arguments);
void php_embed_shutdown(void);
void* ts_resource_ex(int id, void* thread);
void ts_free_thread(void);
int php_request_startup(void);
void php_request_shutdown(void* unused);
int zend_eval_string(const char* code, void* result, const char* name);

enum { kThreads = 3, kRequests = 4, kShortThreads = 12 };

static char g_code[4200];
static char g_short_code[4200];

struct Work {
  const char* code;
  int requests;
};

static void* serve(void* argument) {
  const struct Work* work = argument;
  ts_resource_ex(0, NULL);
  for (int i = 0; i < work->requests; ++i) {
    if (php_request_startup() == 0) {
      zend_eval_string(work->code, NULL, "thread");
      php_request_shutdown(NULL);
    }
  }
  ts_free_thread();
  return NULL;
}

int main(int count, char** arguments) {
  if (count != 2) {
    return 2;
  }
  snprintf(g_code, sizeof(g_code), "$for = 0.4; require '%s';", arguments[1]);
  snprintf(g_short_code, sizeof(g_short_code), "$for = 0.02; require '%s';", arguments[1]);
  if (php_embed_init(1, arguments) != 0) {
    return 1;
  }
  struct Work work = {g_code, kRequests};
  struct Work one_request = {g_short_code, 1};
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    pthread_create(&threads[i], NULL, serve, &work);
  }
  for (int i = 0; i < kShortThreads; ++i) {
    pthread_t thread;
    pthread_create(&thread, NULL, serve, &one_request);
    pthread_join(thread, NULL);
  }
  zend_eval_string(g_code, NULL, "main");
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(threads[i], NULL);
  }
  php_embed_shutdown();
  return 0;
}
