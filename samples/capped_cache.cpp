// A cache that fills up in the first third of the run and then drops the oldest page for each new.
// verdict: plateau leak=false function=remember_page
#include <cstdio>
#include <deque>
#include <string>

#include "samples/pace.h"

namespace {

constexpr unsigned kTicksPerSecond = 1000;
constexpr std::size_t kPageBytes = 1000;

std::deque<std::string> g_cache;

SAMPLE_FUNCTION void remember_page(unsigned long number, std::size_t cap) {
  g_cache.emplace_back(kPageBytes, static_cast<char>('a' + number % 26));
  use(g_cache.back().data());
  if (g_cache.size() > cap) {
    g_cache.pop_front();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = duration_argument(argc, argv);
  const auto cap = static_cast<std::size_t>(seconds * kTicksPerSecond / 3);
  pace pace = start_pace(seconds, kTicksPerSecond);
  unsigned long pages = 0;
  while (next_tick(&pace)) {
    remember_page(pages++, cap);
  }
  std::printf("%lu pages, %zu cached\n", pages, g_cache.size());
}
