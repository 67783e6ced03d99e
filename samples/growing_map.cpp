// A table of sessions that nobody ever removes from: all of it reachable, and it grows for ever.
// verdict: growing leak=true function=remember_session
#include <cstdio>
#include <map>
#include <string>

#include "samples/pace.h"

namespace {

struct Session {
  std::string user;
  char state[200];
};

std::map<unsigned long, Session> g_sessions;

SAMPLE_FUNCTION void remember_session(unsigned long id) {
  Session& session = g_sessions[id];
  session.user = "user-with-a-name-too-long-for-the-small-string-" + std::to_string(id);
  use(&session);
}

}  // namespace

int main(int argc, char** argv) {
  pace pace = start_pace(duration_argument(argc, argv), 1000);
  unsigned long id = 0;
  while (next_tick(&pace)) {
    remember_session(id++);
  }
  std::printf("%zu sessions\n", g_sessions.size());
}
