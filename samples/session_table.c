// A server keeps every session in a list that it never shortens: all of it can be reached, and it
// grows. The report says who holds it.
// verdict: growing leak=true function=open_session held=g_server
#include <stdio.h>
#include <stdlib.h>

#include "samples/pace.h"

struct session {
  struct session* next;
  char state[120];
};

struct server {
  const char* name;
  struct session* sessions;
};

static struct server* g_server;

SAMPLE_FUNCTION static struct server* start_server(void) {
  struct server* server = malloc(sizeof(struct server));
  server->name = "sample";
  server->sessions = NULL;
  return server;
}

SAMPLE_FUNCTION static void open_session(unsigned long id) {
  struct session* session = malloc(sizeof(struct session));
  snprintf(session->state, sizeof(session->state), "session %lu", id);
  session->next = g_server->sessions;
  g_server->sessions = session;  // closed by nobody
  use(session);
}

int main(int argc, char** argv) {
  g_server = start_server();
  struct pace pace = start_pace(duration_argument(argc, argv), 1000);
  unsigned long sessions = 0;
  while (next_tick(&pace)) {
    open_session(sessions++);
  }
  printf("%lu sessions on %s\n", sessions, g_server->name);
  return 0;
}
