// A small session server, driven by itself: each request opens a session that nothing closes,
// among request buffers that are freed and a page cache with a cap. scripts/demo runs it.
// verdict: growing leak=true function=open_session
#include <array>
#include <cstdio>
#include <deque>
#include <list>
#include <string>

#include "samples/pace.h"

namespace {

constexpr unsigned kRequestsPerSecond = 2000;
constexpr std::size_t kCachedPages = 500;

struct Session {
  unsigned long id;
  std::array<char, 240> state;
};

std::list<Session> g_sessions;
std::deque<std::string> g_pages;

}  // namespace

// The bug: a session is made for every request, and closed by none.
SAMPLE_FUNCTION static Session& open_session(unsigned long id) {
  Session& session = g_sessions.emplace_back();
  session.id = id;
  use(&session);
  return session;
}

SAMPLE_FUNCTION static const std::string& render_page(unsigned long number) {
  g_pages.emplace_back(600 + number % 100, 'p');
  if (g_pages.size() > kCachedPages) {
    g_pages.pop_front();
  }
  return g_pages.back();
}

SAMPLE_FUNCTION static std::size_t handle_request(unsigned long number) {
  const std::string request(200 + number % 300, 'q');
  Session& session = open_session(number);
  const std::string& page = render_page(number);
  session.state[0] = request.front();
  use(&session);
  return page.size();
}

int main(int argc, char** argv) {
  pace pace = start_pace(duration_argument(argc, argv), kRequestsPerSecond);
  unsigned long requests = 0;
  std::size_t sent = 0;
  while (next_tick(&pace)) {
    sent += handle_request(requests++);
  }
  std::printf("%lu requests, %zu bytes sent\n", requests, sent);
}
