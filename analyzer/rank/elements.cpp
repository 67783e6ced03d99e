#include "analyzer/rank/elements.h"

#include <algorithm>
#include <limits>

namespace seep::rank {
namespace {

// Primes and powers of two are not exactly multiples of each other, and some tables leave a share
// empty.
constexpr double kTolerance = 0.05;

}  // namespace

// Between the moments around a step the number of elements passed what the old capacity held: with
// one size of element, its bytes over that number.
bool filled_by(const Doubling& container, const model::SiteHistory& elements,
               const Timeline& timeline) {
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
  for (const Step& step : container.steps) {
    const std::size_t after = timeline.first + step.at;
    const auto low = static_cast<double>(elements.at[after - 1].live_blocks);
    const auto high = static_cast<double>(elements.at[after].live_blocks);
    least = std::max(least, (1 - kTolerance) * low / step.bytes_before);
    most = std::min(most, (1 + kTolerance) * high / step.bytes_before);
    if (least > most) {
      return false;
    }
  }
  return most > 0;
}

}  // namespace seep::rank
