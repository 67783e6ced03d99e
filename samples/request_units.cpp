// A server that counts its requests for seep: each leaves its log line behind, whatever the load
// is. It runs and links the same where seep is not there. verdict: growing leak=true
// function=remember_line
#include <cstdio>
#include <string>
#include <vector>

#include "include/seep.h"
#include "samples/pace.h"

namespace {

std::vector<std::string*> g_lines;

// 32 bytes for the string and 64 for its text, for each request.
SAMPLE_FUNCTION void remember_line(unsigned long request) {
  auto* line = new std::string(63, 'x');
  (*line)[0] = static_cast<char>('a' + request % 26);
  g_lines.push_back(line);
}

SAMPLE_FUNCTION void handle_request(unsigned long request) {
  const std::string body(200, 'b');  // is gone when the request has been answered
  use(&body);
  remember_line(request);
  seep_count_units(1);
}

}  // namespace

int main(int argc, char** argv) {
  g_lines.reserve(1000000);
  seep_name_unit("request");
  pace pace = start_pace(duration_argument(argc, argv), 200);
  unsigned long requests = 0;
  while (next_tick(&pace)) {
    // Twice as busy in every other second.
    const unsigned long burst = pace.ticks_left / 200 % 2 == 0 ? 20 : 10;
    for (unsigned long i = 0; i < burst; ++i) {
      handle_request(requests++);
    }
  }
  seep_mark("done");
  std::printf("%lu requests\n", requests);
}
