// A pool of buffers: demand rises in the first third of the run, later requests use what is there.
// verdict: plateau leak=false function=grow_pool
#include <cstdio>
#include <memory>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr unsigned kTicksPerSecond = 300;
constexpr std::size_t kBufferBytes = 4096;

std::vector<std::unique_ptr<char[]>> g_idle;

SAMPLE_FUNCTION std::unique_ptr<char[]> grow_pool() {
  auto buffer = std::make_unique<char[]>(kBufferBytes);
  use(buffer.get());
  return buffer;
}

SAMPLE_FUNCTION std::unique_ptr<char[]> take_buffer() {
  if (g_idle.empty()) {
    return grow_pool();
  }
  auto buffer = std::move(g_idle.back());
  g_idle.pop_back();
  return buffer;
}

// Needs `wanted` buffers at once, and gives all of them back.
SAMPLE_FUNCTION void serve(std::size_t wanted) {
  std::vector<std::unique_ptr<char[]>> taken;
  for (std::size_t i = 0; i < wanted; ++i) {
    taken.push_back(take_buffer());
  }
  for (auto& buffer : taken) {
    g_idle.push_back(std::move(buffer));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = duration_argument(argc, argv);
  const auto most = static_cast<std::size_t>(seconds * kTicksPerSecond / 3);
  pace pace = start_pace(seconds, kTicksPerSecond);
  std::size_t demand = 1;
  while (next_tick(&pace)) {
    serve(demand);
    demand += demand < most ? 1 : 0;
  }
  std::printf("%zu buffers pooled\n", g_idle.size());
}
