#include "tests/labelled/simulate/families.h"

#include "tests/labelled/simulate/draw.h"
#include "tests/labelled/simulate/leaks.h"
#include "tests/labelled/simulate/sound.h"

namespace seep::labelled {

std::vector<double> arrivals(Random& random, double count, double from, double to) {
  const double gap = (to - from) / count;
  const bool even = chance(random, 0.3);
  std::vector<double> times;
  double t = from + uniform(random, 0, gap);
  while (t < to) {
    times.push_back(t);
    t += even ? gap * uniform(random, 0.8, 1.2) : exponential(random, gap);
  }
  return times;
}

std::vector<rank::Block> kept_blocks(const std::vector<double>& times, std::uint64_t bytes) {
  std::vector<rank::Block> blocks;
  blocks.reserve(times.size());
  for (const double t : times) {
    blocks.push_back({t, rank::kForever, bytes});
  }
  return blocks;
}

std::span<const Family> families() {
  static const std::vector<Family> all = [] {
    const auto leaks = leak_families();
    const auto sound = sound_families();
    std::vector<Family> joined(leaks.begin(), leaks.end());
    joined.insert(joined.end(), sound.begin(), sound.end());
    return joined;
  }();
  return all;
}

std::vector<double> draw_times(Random& random) {
  const bool brief = chance(random, 0.6);
  const double length = brief ? uniform(random, 5, 10) : log_uniform(random, 10, 300);
  std::vector<double> times = brief ? rank::even_times(length, 0.25) : rank::auto_times(length);
  const double gap = times[1] - times[0];
  const double lateness = chance(random, 0.3) ? 0.4 : 0.05;
  for (std::size_t i = 1; i + 1 < times.size(); ++i) {
    times[i] += uniform(random, 0, lateness) * std::min(gap, times[i + 1] - times[i]);
  }
  times.back() = length;
  return times;
}

}  // namespace seep::labelled
