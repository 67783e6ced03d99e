// Global containers that grow for a while, and that their destructors empty at exit. Arguments: how
// long, in ms.
#include <chrono>
#include <cstdlib>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <vector>

std::list<int> g_events;
std::map<int, std::string> g_sessions;
std::vector<char*> g_left;  // its destructor does not release what it points to

static void open_session(int id) {
  g_sessions.emplace(id, std::string(100, 'x'));
}

static void log_event(int id) {
  g_events.push_back(id);
}

static void open_file() {
  auto* file = new char[500];
  g_left.push_back(file);
}

int main(int, char** arguments) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(atoi(arguments[1]));
  for (int id = 0; std::chrono::steady_clock::now() < end; id += 10) {
    for (int i = 0; i < 10; ++i) {
      open_session(id + i);
    }
    log_event(id);
    open_file();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}
