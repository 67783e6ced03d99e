// A program that loads PHP (libphp.so) once it runs, and runs a script in it. usage: opened_late
// LIBRARY SCRIPT
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char** arguments) {
  char code[4200];
  void* library = count == 3 ? dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
  if (library == NULL) {
    return 2;
  }
  int (*init)(int, char**) = (int (*)(int, char**))dlsym(library, "php_embed_init");
  int (*run)(const char*, void*, const char*) =
      (int (*)(const char*, void*, const char*))dlsym(library, "zend_eval_string");
  void (*end)(void) = (void (*)(void))dlsym(library, "php_embed_shutdown");
  snprintf(code, sizeof(code), "require '%s';", arguments[2]);
  if (init(1, arguments) != 0) {
    return 1;
  }
  run(code, NULL, "opened late");
  end();
  return 0;
}
