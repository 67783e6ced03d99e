// Two trees are lost: an index of 100 entries, and a session with 50 buffers. Each is made by
// several functions.
#include <stdlib.h>
#include <string.h>

static void** make_entry(void) {
  return malloc(40);
}

static void make_index(void) {
  void** index = malloc(100 * sizeof(void*));
  for (int i = 0; i < 100; ++i) {
    index[i] = make_entry();
  }
}

static void** make_buffer(void* next) {
  void** buffer = malloc(300);
  buffer[0] = next;
  return buffer;
}

static void open_session(void) {
  void** session = malloc(64);
  void** first = NULL;
  for (int i = 0; i < 50; ++i) {
    first = make_buffer(first);
  }
  session[1] = first;
}

// What the other functions left on the stack is no pointer any more.
static void overwrite_stack(void) {
  volatile char bytes[65536];
  memset((char*)bytes, 0, sizeof(bytes));
}

int main(void) {
  make_index();
  open_session();
  overwrite_stack();
}
