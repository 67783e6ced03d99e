#include "analyzer/rank/pace.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analyzer/rank/curve.h"

namespace seep::rank {
namespace {

// Neighbouring intervals that are also taken as one, and the fewest of those to learn from.
constexpr std::size_t kMerged = 4;
constexpr std::size_t kLeastMerged = 5;

struct Steps {
  std::vector<double> seconds;
  std::vector<double> gained;
};

Steps steps_of(std::span<const double> t, std::span<const double> y, double from) {
  Steps steps;
  double time_before = from;
  double before = value_at(t, y, from);
  const auto first = std::upper_bound(t.begin(), t.end(), from) - t.begin();
  for (auto i = static_cast<std::size_t>(first); i < t.size(); ++i) {
    steps.seconds.push_back(t[i] - time_before);
    steps.gained.push_back(y[i] - before);
    time_before = t[i];
    before = y[i];
  }
  return steps;
}

// Each `count` neighbouring steps as one, from the end backwards.
Steps merged(const Steps& steps, std::size_t count) {
  Steps result;
  for (std::size_t end = steps.seconds.size(); end >= count; end -= count) {
    double seconds = 0;
    double gained = 0;
    for (std::size_t i = end - count; i < end; ++i) {
      seconds += steps.seconds[i];
      gained += steps.gained[i];
    }
    result.seconds.push_back(seconds);
    result.gained.push_back(gained);
  }
  return result;
}

// Variance that arrivals add in a second, from how neighbouring intervals differ: a rate that
// changes slowly drops out. Two intervals a and b with gains A and B at one rate: A·b/(a+b) -
// B·a/(a+b) has mean 0 and variance v·a·b/(a+b).
double variance_a_second(const Steps& steps) {
  double squares = 0;
  double seconds = 0;
  for (std::size_t i = 1; i < steps.seconds.size(); ++i) {
    const double a = steps.seconds[i - 1];
    const double b = steps.seconds[i];
    if (a + b <= 0) {
      continue;
    }
    const double difference = (steps.gained[i - 1] * b - steps.gained[i] * a) / (a + b);
    squares += difference * difference;
    seconds += a * b / (a + b);
  }
  return seconds > 0 ? squares / seconds : 0;
}

// Batches that come regularly, and a level that scatters, vary less over several intervals than
// between neighbours; arrivals at random vary alike.
double least_variance_a_second(const Steps& steps) {
  double least = variance_a_second(steps);
  if (steps.seconds.size() >= kMerged * kLeastMerged) {
    least = std::min(least, variance_a_second(merged(steps, kMerged)));
  }
  return least;
}

// The mean of the times of the gains; a gain is placed in the middle of its interval.
double centre_of(const Steps& steps, double length, double gain) {
  double moment = 0;
  double elapsed = 0;
  for (std::size_t i = 0; i < steps.seconds.size(); ++i) {
    moment += steps.gained[i] * (elapsed + steps.seconds[i] / 2);
    elapsed += steps.seconds[i];
  }
  return moment / (gain * length);
}

}  // namespace

double Pace::centre_error() const {
  return events > 0 ? 1 / std::sqrt(12 * events) : 1;
}

Pace measure_pace(std::span<const double> t, std::span<const double> y, double from,
                  double most_events) {
  const Steps steps = steps_of(t, y, from);
  const double length = t.back() - from;
  Pace pace;
  pace.gain = y.back() - value_at(t, y, from);
  if (pace.gain <= 0 || length <= 0) {
    return pace;
  }
  pace.centre = centre_of(steps, length, pace.gain);
  const double variance = least_variance_a_second(steps) * length;
  const double most = std::max(most_events, 0.0);
  pace.events = variance > 0 ? std::min(most, pace.gain * pace.gain / variance) : most;
  return pace;
}

}  // namespace seep::rank
