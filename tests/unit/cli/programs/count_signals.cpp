// Says "ready", counts SIGINT, SIGTERM, SIGUSR1 and SIGABRT until half a second has passed without
// one after the first, prints the count and ends with it.
#include <csignal>
#include <cstdio>
#include <ctime>
#include <initializer_list>

namespace {

volatile std::sig_atomic_t g_count = 0;

void count(int) {
  g_count = g_count + 1;
}

void sleep_ms(long ms) {
  const timespec time = {ms / 1000, ms % 1000 * 1'000'000};
  nanosleep(&time, nullptr);  // a signal ends it early; the callers look again
}

}  // namespace

int main() {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGABRT}) {
    std::signal(signal, count);
  }
  std::puts("ready");
  std::fflush(stdout);
  for (int waited = 0; g_count == 0 && waited < 100; ++waited) {
    sleep_ms(100);
  }
  int seen = 0;
  do {
    seen = g_count;
    sleep_ms(500);
  } while (g_count != seen);
  std::printf("count %d\n", seen);
  return seen;
}
