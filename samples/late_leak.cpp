// Works cleanly for the first third of the run, then leaks with every message.
// verdict: growing leak=true function=archive_message
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr unsigned kTicksPerSecond = 1000;

std::vector<std::unique_ptr<std::string>> g_archive;

SAMPLE_FUNCTION void archive_message(unsigned long number) {
  g_archive.push_back(std::make_unique<std::string>("message " + std::to_string(number)));
  g_archive.back()->resize(160, '.');
  use(g_archive.back()->data());
}

SAMPLE_FUNCTION void answer_message(unsigned long number) {
  const auto answer = std::make_unique<std::string>(100 + number % 50, 'x');
  use(answer->data());
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = duration_argument(argc, argv);
  const auto first_archived = static_cast<unsigned long>(seconds * kTicksPerSecond / 3);
  pace pace = start_pace(seconds, kTicksPerSecond);
  unsigned long messages = 0;
  while (next_tick(&pace)) {
    answer_message(messages);
    if (messages >= first_archived) {
      archive_message(messages);
    }
    ++messages;
  }
  std::printf("%lu messages, %zu archived\n", messages, g_archive.size());
}
