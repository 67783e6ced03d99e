// Loses memory on purpose, and tells LeakSanitizer so: its first argument is what
// __lsan_default_suppressions returns, in memory that is released at exit.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char* given;

static void release(void) {
  memset(given, 'x', strlen(given));
  free(given);
  given = NULL;
}

// Before main, so that the argument has to be looked up.
const char* __lsan_default_suppressions(void) {
  char line[4096] = "";
  const int fd = open("/proc/self/cmdline", O_RDONLY);
  if (fd >= 0) {
    if (read(fd, line, sizeof(line) - 1) < 0) {
      line[0] = 0;
    }
    close(fd);
  }
  given = strdup(line + strlen(line) + 1);
  atexit(release);
  return given;
}

static void lose_on_purpose(void) {
  for (int i = 0; i < 3; ++i) {
    memset(malloc(100), 1, 100);
  }
}

static void lose_by_mistake(void) {
  for (int i = 0; i < 3; ++i) {
    memset(malloc(200), 1, 200);
  }
}

static void overwrite_stack(void) {
  volatile char bytes[65536];
  memset((char*)bytes, 0, sizeof(bytes));
}

int main(void) {
  lose_on_purpose();
  lose_by_mistake();
  overwrite_stack();
}
