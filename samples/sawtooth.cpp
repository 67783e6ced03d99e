// Collects records into a batch and releases the whole batch when it is sent, ten times a run.
// verdict: sawtooth|steady|unknown leak=false function=add_record
#include <cstdio>
#include <string>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr unsigned kTicksPerSecond = 1000;
constexpr std::size_t kRecordBytes = 300;

std::vector<std::string> g_batch;

SAMPLE_FUNCTION void add_record(unsigned long number) {
  g_batch.emplace_back(kRecordBytes, static_cast<char>('a' + number % 26));
  use(g_batch.back().data());
}

SAMPLE_FUNCTION std::size_t send_batch() {
  const std::size_t records = g_batch.size();
  g_batch.clear();
  return records;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = duration_argument(argc, argv);
  const auto batch_records = static_cast<std::size_t>(seconds * kTicksPerSecond / 10);
  pace pace = start_pace(seconds, kTicksPerSecond);
  unsigned long records = 0;
  std::size_t sent = 0;
  while (next_tick(&pace)) {
    add_record(records++);
    if (g_batch.size() == batch_records) {
      sent += send_batch();
    }
  }
  std::printf("%lu records, %zu sent\n", records, sent);
}
