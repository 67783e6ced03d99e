#include "analyzer/rank/repetitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "analyzer/model/figures.h"

namespace seep::rank {
namespace {

constexpr double kSamePace = 0.7;  // as rules.h has it for the halves of a run

std::vector<double> gains_per_work(std::span<const double> work,
                                   std::span<const std::uint64_t> bytes) {
  std::vector<double> gains;
  for (std::size_t i = 1; i < work.size(); ++i) {
    const double gained = static_cast<double>(bytes[i]) - static_cast<double>(bytes[i - 1]);
    gains.push_back(gained / (work[i] - work[i - 1]));
  }
  return gains;
}

std::string levels_text(std::span<const double> work, std::span<const std::uint64_t> bytes) {
  std::string held;
  std::string done;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const char* separator = i == 0 ? "" : i + 1 == work.size() ? " and " : ", ";
    held += separator + model::format_bytes(static_cast<double>(bytes[i]));
    done += fmt::format("{}{:.0f}", separator, work[i]);
  }
  return fmt::format("held {} at the end of {} times the work", held, done);
}

// Without the warm-up, where there are enough.
std::vector<double> judged_gains(std::span<const double> work,
                                 std::span<const std::uint64_t> bytes) {
  std::vector<double> gains = gains_per_work(work, bytes);
  if (gains.size() + 1 > kLeastRepetitions) {
    gains.erase(gains.begin());
  }
  return gains;
}

}  // namespace

RepetitionVerdict judge_repetitions(std::span<const double> work,
                                    std::span<const std::uint64_t> bytes) {
  RepetitionVerdict verdict;
  verdict.why = levels_text(work, bytes);
  if (work.size() < kLeastRepetitions) {
    return verdict;
  }
  const std::vector<double> gains = judged_gains(work, bytes);
  verdict.bytes_per_work = gains.back();
  const bool gains_always = *std::min_element(gains.begin(), gains.end()) >= kLeastBytesPerWork;
  const double gained = static_cast<double>(bytes.back()) -
                        static_cast<double>(bytes[bytes.size() - 1 - gains.size()]);
  verdict.grows = gains_always && gained >= kLeastGain && gains.back() >= kSamePace * gains.front();
  verdict.why +=
      verdict.grows ? fmt::format(": {} more for each", model::format_bytes(verdict.bytes_per_work))
                    : std::string(": growth over repetitions does not stand");
  return verdict;
}

bool does_more_work(std::span<const double> work, std::span<const std::uint64_t> allocated) {
  if (work.size() < kLeastRepetitions) {
    return false;
  }
  const std::vector<double> gains = judged_gains(work, allocated);
  const std::size_t first = work.size() - gains.size();  // the step that gains[0] led to
  double before = 0;
  for (std::size_t i = 0; i < gains.size(); ++i) {
    const double added = gains[i] * (work[first + i] - work[first + i - 1]);
    if (gains[i] < kLeastBytesPerWork || added < before) {
      return false;
    }
    before = added;
  }
  return true;
}

}  // namespace seep::rank
