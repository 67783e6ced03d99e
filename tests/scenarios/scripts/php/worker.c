// A program with PHP in it (libphp.so), whose script goes on from one request to the next, as those
// of FrankenPHP's workers do: where it writes "next", the request ends and the next one begins.
// Prints how many did. usage: worker SCRIPT
#include <stdio.h>
#include <string.h>

// sapi_module_struct up to what it writes by.
struct SapiModule {
  const char* names[2];
  void* functions[4];
  size_t (*write)(const char* text, size_t bytes);
};

extern struct SapiModule php_embed_module;
int php_embed_init(int count, char** arguments);
void php_embed_shutdown(void);
void sapi_activate(void);
void sapi_deactivate(void);
int zend_eval_string(const char* code, void* result, const char* name);

static int g_requests = 0;

static size_t serve_next(const char* text, size_t bytes) {
  if (bytes == 4 && memcmp(text, "next", 4) == 0) {
    sapi_deactivate();
    sapi_activate();
    ++g_requests;
  }
  return bytes;
}

int main(int count, char** arguments) {
  char code[4200];
  if (count != 2) {
    return 2;
  }
  snprintf(code, sizeof(code), "require '%s';", arguments[1]);
  php_embed_module.write = serve_next;
  if (php_embed_init(1, arguments) != 0) {
    return 1;
  }
  zend_eval_string(code, NULL, "worker");
  php_embed_shutdown();
  printf("%d requests\n", g_requests);
  return 0;
}
