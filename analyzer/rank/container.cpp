#include "analyzer/rank/container.h"

#include <algorithm>

namespace seep::rank {
namespace {

// One container holds one block, two while it moves; a few more for its neighbours at the site.
constexpr double kMostBlocks = 4;
// Growth factors in use are 1.5 (folly, MSVC, Java), 2 (libstdc++, libc++) and up to 4 (small hash
// tables); two steps between snapshots make at most 4.5 of a factor of 1.5.
constexpr double kLeastFactor = 1.4;
constexpr double kMostFactor = 4.5;
// Design §6: four doublings, so that one that was merely filled once is not accused.
constexpr unsigned kLeastSteps = 4;
// What the time of a step may be late by, since snapshots see it only at the next moment.
constexpr double kSlack = 1.1;
// A memo table that has been asked once for each key has waited 2.6 times as long for its last
// doubling as for the one before.
constexpr double kPaceSlack = 1.1;

}  // namespace

bool Doubling::recognized() const {
  return steps.size() >= kLeastSteps;
}

bool Doubling::keeps_pace() const {
  return last_wait_s <= kPaceSlack * factor * wait_before_s + 0.5 * resolution_s;
}

bool Doubling::goes_on(double now) const {
  return now <= next_step_s;
}

// A container filled at a constant rate takes `factor` times as long for each step as for the one
// before; so from the time between the last two steps follows when the next is due.
Doubling measure_doubling(const Curve& curve) {
  Doubling result;
  if (!curve.counts_are_blocks() ||
      *std::max_element(curve.blocks.begin(), curve.blocks.end()) > kMostBlocks) {
    return {};
  }
  double step_before = curve.begin_s();
  for (std::size_t i = 1; i < curve.t.size(); ++i) {
    const double before = curve.bytes[i - 1];
    const double after = curve.bytes[i];
    if (after == before || before == 0) {
      step_before = before == 0 && after > 0 ? curve.t[i] : step_before;
      continue;
    }
    const double factor = after / before;
    if (factor < kLeastFactor) {
      return {};
    }
    if (factor > kMostFactor) {  // several steps at once, in the quick beginning
      step_before = curve.t[i];
      continue;
    }
    result.steps.push_back({i, before});
    result.factor = factor;
    result.last_step_s = curve.t[i];
    result.wait_before_s = result.last_wait_s;
    result.last_wait_s = curve.t[i] - step_before;
    result.resolution_s = curve.t[i] - curve.t[i - 1];
    result.next_step_s = curve.t[i] + kSlack * factor * (curve.t[i] - step_before);
    step_before = curve.t[i];
  }
  return result;
}

}  // namespace seep::rank
