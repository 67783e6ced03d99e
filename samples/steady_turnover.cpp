// Keeps the latest 200 requests, each for 200 ticks: much is allocated, nothing stays.
// verdict: steady leak=false function=accept_request
#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "samples/pace.h"

namespace {

std::array<std::unique_ptr<std::string>, 200> g_latest;

SAMPLE_FUNCTION void accept_request(unsigned long number) {
  auto request = std::make_unique<std::string>(100 + number % 7 * 20, 'r');
  use(request->data());
  g_latest[number % g_latest.size()] = std::move(request);
}

}  // namespace

int main(int argc, char** argv) {
  pace pace = start_pace(duration_argument(argc, argv), 2000);
  unsigned long requests = 0;
  while (next_tick(&pace)) {
    accept_request(requests++);
  }
  std::printf("%lu requests\n", requests);
}
