// Four threads, each with a thread-local cache that fills up to its cap and is freed with the
// thread. verdict: plateau leak=false function=remember_locally
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr unsigned kTicksPerSecond = 250;
constexpr std::size_t kEntryBytes = 500;

thread_local std::vector<std::string> t_cache;

SAMPLE_FUNCTION void remember_locally(unsigned long key, std::size_t cap) {
  if (t_cache.size() < cap) {
    t_cache.emplace_back(kEntryBytes, static_cast<char>('a' + key % 26));
    use(t_cache.back().data());
  }
}

SAMPLE_FUNCTION void work(double seconds) {
  const auto cap = static_cast<std::size_t>(seconds * kTicksPerSecond / 3);
  pace pace = start_pace(seconds, kTicksPerSecond);
  unsigned long key = 0;
  while (next_tick(&pace)) {
    remember_locally(key++, cap);
    const std::string answer(kEntryBytes, 'x');  // something to allocate once the cache is full
    use(answer.data());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = duration_argument(argc, argv);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(work, seconds);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::puts("4 threads done");
}
