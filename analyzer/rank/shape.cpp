#include "analyzer/rank/shape.h"

#include <algorithm>

namespace seep::rank {
namespace {

// A burst: all but 5 % of the births within a tenth of the time, or between three snapshots.
constexpr double kBurstTail = 0.025;
constexpr double kBurstShare = 0.1;
constexpr std::size_t kBurstIntervals = 2;
// A drop releases at least half of what had been built up in at least this many intervals.
constexpr double kDropShare = 0.5;
constexpr unsigned kDropIntervals = 3;
// Start-up: the first tenth brought clearly more of the whole rise than a tenth; judge from a
// little later on.
constexpr double kStartUpRise = 0.18;
constexpr double kStartUpShare = 0.1;
constexpr double kStartUpEnd = 0.12;
// A late rise: after the start-up, the first half of the time brought less than this share of the
// second half's gain.
constexpr double kLateShare = 0.5;
constexpr double kLateBegin = 0.1;
// A window shorter than this share of the life is the last event of the run, not its trend.
constexpr double kLeastWindow = 0.125;
// A rise is visible when it took this share of the time.
constexpr double kVisibleRise = 0.05;
constexpr double kReached = 0.9;
// A level is kept when nothing in the later half is below this share of its highest point.
constexpr double kKeptShare = 0.7;

double time_at_share(const Curve& curve, double share) {
  return curve.begin_s() + share * curve.length_s();
}

// Level at the end without the accident of the last snapshot.
double last_level(const Curve& curve) {
  const std::size_t n = curve.bytes.size();
  return n < 3 ? curve.bytes.back()
               : median({curve.bytes[n - 3], curve.bytes[n - 2], curve.bytes[n - 1]});
}

bool kept_its_level(const Curve& curve) {
  const auto later =
      std::lower_bound(curve.t.begin(), curve.t.end(), time_at_share(curve, 0.5)) - curve.t.begin();
  const auto [low, high] = std::minmax_element(curve.bytes.begin() + later, curve.bytes.end());
  return *low >= kKeptShare * *high;
}

std::optional<double> start_up_window(const Curve& curve, double rise) {
  const double early = value_at(curve.t, curve.bytes, time_at_share(curve, kStartUpShare));
  if (rise <= 0 || early - curve.bytes.front() < kStartUpRise * rise) {
    return std::nullopt;
  }
  return time_at_share(curve, kStartUpEnd);
}

std::optional<double> late_window(const Curve& curve, double last) {
  const double middle = time_at_share(curve, 0.5);
  const double half = value_at(curve.t, curve.bytes, middle);
  const double early = value_at(curve.t, curve.bytes, time_at_share(curve, kStartUpEnd));
  if (last <= half || half - early >= kLateShare * (last - half)) {
    return std::nullopt;
  }
  const double base = median(resample(curve.t, curve.bytes, curve.begin_s(), middle, 17));
  const double begun = base + kLateBegin * (last - base);
  std::size_t i = curve.t.size() - 1;
  while (i > 0 && curve.bytes[i] > begun) {
    --i;
  }
  if (curve.end_s() - curve.t[i] < kLeastWindow * curve.length_s()) {
    return std::nullopt;
  }
  return curve.t[i];
}

}  // namespace

std::optional<Burst> find_burst(const Curve& curve) {
  const double births = curve.births.back();
  const auto reaches = [&](double share) {
    return static_cast<std::size_t>(std::find_if(curve.births.begin(), curve.births.end(),
                                                 [&](double b) { return b > share * births; }) -
                                    curve.births.begin());
  };
  if (births <= 0) {
    return Burst{curve.begin_s(), curve.begin_s()};  // inherited from before the fork
  }
  const std::size_t first = reaches(kBurstTail);
  const std::size_t begin = first == 0 ? 0 : first - 1;
  const std::size_t end = reaches(1 - kBurstTail);
  const double length = curve.t[end] - curve.t[begin];
  if (length > kBurstShare * curve.length_s() && end - begin > kBurstIntervals) {
    return std::nullopt;
  }
  return Burst{curve.t[begin], curve.t[end]};
}

unsigned count_drops(const Curve& curve) {
  unsigned drops = 0;
  unsigned rises = 0;
  double trough = curve.bytes.front();
  double peak = trough;
  for (std::size_t i = 1; i < curve.bytes.size(); ++i) {
    const double now = curve.bytes[i];
    if (now > peak) {
      peak = now;
      ++rises;
    } else if (now < trough || peak - now >= kDropShare * (peak - trough)) {
      const bool built_up = rises >= kDropIntervals && now <= (1 - kDropShare) * peak;
      drops += built_up ? 1 : 0;
      rises = 0;
      trough = peak = now;
    }
  }
  return drops;
}

double deaths_since(const Curve& curve, double from) {
  return curve.births.back() - value_at(curve.t, curve.births, from) -
         (curve.blocks.back() - value_at(curve.t, curve.blocks, from));
}

std::optional<double> rise_ended(const Curve& curve) {
  const double level =
      median(resample(curve.t, curve.bytes, time_at_share(curve, 0.5), curve.end_s(), 17));
  const double first = curve.bytes.front();
  if (level <= 0 || first > (1 - kDropShare) * level || !kept_its_level(curve)) {
    return std::nullopt;
  }
  const double wanted = first + kReached * (level - first);
  for (std::size_t i = 1; i < curve.bytes.size(); ++i) {
    if (curve.bytes[i] >= wanted) {
      const bool visible = i >= kDropIntervals ||
                           curve.t[i - 1] - curve.begin_s() >= kVisibleRise * curve.length_s();
      return visible ? std::optional(curve.t[i]) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::vector<double> growth_windows(const Curve& curve) {
  const double last = last_level(curve);
  std::vector<double> windows = {curve.begin_s()};
  for (const auto& later :
       {start_up_window(curve, last - curve.bytes.front()), late_window(curve, last)}) {
    if (later) {
      windows.push_back(*later);
    }
  }
  return windows;
}

}  // namespace seep::rank
