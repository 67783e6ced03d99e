#include "analyzer/report/grew_together.h"

#include <algorithm>

namespace seep::report {
namespace {

constexpr double kMuch = 0.25;
constexpr double kFactor = 5;

// The share of the whole gain that has come about at each moment; empty without a gain.
std::vector<double> gained(const std::vector<double>& live) {
  std::vector<double> shares;
  if (live.empty() || live.back() <= live.front()) {
    return shares;
  }
  for (const double bytes : live) {
    shares.push_back((bytes - live.front()) / (live.back() - live.front()));
  }
  return shares;
}

bool is_parted(double a, double b) {
  return std::max(a, b) > kMuch && std::max(a, b) > kFactor * std::min(a, b);
}

}  // namespace

LiveSeries live_series(const Grouping& input, const std::vector<Path>& paths,
                       const std::vector<std::size_t>& among) {
  LiveSeries series(input.recordings.size());
  for (const std::size_t path : among) {
    for (const std::size_t member : paths[path].members) {
      const rank::RankedSite& site = input.ranked[member];
      const auto& at = input.recordings[site.recording].sites[site.site].at;
      std::vector<double>& live = series[site.recording];
      live.resize(at.size());
      for (std::size_t i = 0; i < at.size(); ++i) {
        live[i] += static_cast<double>(at[i].live_bytes);
      }
    }
  }
  return series;
}

bool grew_together(const LiveSeries& a, const LiveSeries& b) {
  for (std::size_t recording = 0; recording < std::min(a.size(), b.size()); ++recording) {
    const std::vector<double> gained_a = gained(a[recording]);
    const std::vector<double> gained_b = gained(b[recording]);
    const std::size_t moments = std::min(gained_a.size(), gained_b.size());
    for (std::size_t i = 0; i < moments; ++i) {
      if (is_parted(gained_a[i], gained_b[i])) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace seep::report
