#include "tests/unit/rank/population.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <random>

namespace seep::rank {
namespace {

std::uint32_t age_class_of(double age_s) {
  const auto ms = static_cast<std::uint64_t>(age_s * 1000);
  std::uint32_t age_class = 0;
  while (age_class + 1 < format::kAgeClasses &&
         ms >= (std::uint64_t{1} << (format::kAgeClassZeroShift + age_class))) {
    ++age_class;
  }
  return age_class;
}

// What each block adds from the moment of its birth on and takes away at its death; summed up over
// the moments by `accumulate`.
void count(std::vector<std::array<std::int64_t, 4>>& steps, const Block& block,
           const std::vector<double>& times) {
  const auto index_of = [&](double when) {
    return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), when) -
                                    times.begin());
  };
  const auto bytes = static_cast<std::int64_t>(block.bytes);
  const std::size_t born = index_of(block.born_s);
  const std::size_t died = index_of(block.died_s);
  steps[born][0] += bytes;
  steps[born][1] += 1;
  steps[born][2] += bytes;
  steps[born][3] += 1;
  steps[died][0] -= bytes;
  steps[died][1] -= 1;
}

std::vector<model::Counters> accumulate(const std::vector<std::array<std::int64_t, 4>>& steps) {
  std::vector<model::Counters> at;
  model::Counters now;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    now.live_bytes += static_cast<std::uint64_t>(steps[i][0]);
    now.live_blocks += static_cast<std::uint64_t>(steps[i][1]);
    now.allocated_bytes += static_cast<std::uint64_t>(steps[i][2]);
    now.allocated_blocks += static_cast<std::uint64_t>(steps[i][3]);
    at.push_back(now);
  }
  return at;
}

void add_ages(model::SiteHistory& site, const std::vector<Block>& blocks, double end_s) {
  std::map<std::uint32_t, model::AgeCount> ages;
  for (const Block& block : blocks) {
    if (block.born_s > end_s || block.died_s <= end_s) {
      continue;
    }
    const double age_s = end_s - block.born_s;
    model::AgeCount& age = ages[age_class_of(age_s)];
    age.age_class = age_class_of(age_s);
    age.blocks += 1;
    age.bytes += block.bytes;
    site.oldest_ms = std::max(site.oldest_ms, static_cast<std::uint64_t>(age_s * 1000));
  }
  for (const auto& [age_class, age] : ages) {
    site.ages.push_back(age);
  }
}

}  // namespace

std::vector<double> even_times(double length_s, double step_s) {
  std::vector<double> times;
  const auto steps = static_cast<std::size_t>(std::floor(length_s / step_s + 0.5));
  for (std::size_t i = 0; i <= steps; ++i) {
    times.push_back(step_s * static_cast<double>(i));
  }
  return times;
}

std::vector<double> auto_times(double length_s) {
  constexpr int kHalf = 32;
  const double interval = std::clamp(length_s / 300, 0.05, 60.0);
  const double recent = interval * kHalf;
  if (2 * recent >= length_s) {
    return even_times(length_s, interval);
  }
  std::vector<double> times;
  for (int i = 0; i < kHalf; ++i) {
    times.push_back((length_s - recent) * i / kHalf);
  }
  for (int i = 0; i <= kHalf; ++i) {
    times.push_back(length_s - recent + interval * i);
  }
  return times;
}

model::SiteHistory history_of(const std::vector<Block>& blocks, const std::vector<double>& times) {
  model::SiteHistory site;
  std::vector<std::array<std::int64_t, 4>> steps(times.size() + 1);
  for (const Block& block : blocks) {
    count(steps, block, times);
  }
  site.at = accumulate(steps);
  add_ages(site, blocks, times.back());
  return site;
}

// All blocks of one size: the figures of the recorded ones, times their weight.
model::SiteHistory sampled_history_of(const std::vector<Block>& blocks,
                                      const std::vector<double>& times, double mean_bytes,
                                      unsigned seed) {
  const double size = blocks.empty() ? 1 : static_cast<double>(blocks.front().bytes);
  const double p = -std::expm1(-size / mean_bytes);
  std::mt19937 random(seed);
  std::vector<Block> recorded;
  std::copy_if(blocks.begin(), blocks.end(), std::back_inserter(recorded),
               [&](const Block&) { return std::bernoulli_distribution(p)(random); });
  model::SiteHistory site = history_of(recorded, times);
  const auto scale = [p](std::uint64_t& figure) {
    figure = static_cast<std::uint64_t>(std::llround(static_cast<double>(figure) / p));
  };
  for (model::Counters& at : site.at) {
    const auto sampled = static_cast<double>(at.live_blocks);
    site.estimates.push_back({at.live_blocks, size * std::sqrt(sampled * (1 - p)) / p});
    scale(at.live_blocks);
    scale(at.live_bytes);
    scale(at.allocated_blocks);
    scale(at.allocated_bytes);
  }
  for (model::AgeCount& age : site.ages) {
    scale(age.blocks);
    scale(age.bytes);
  }
  return site;
}

model::Recording recording_of(std::vector<model::SiteHistory> sites,
                              const std::vector<double>& times) {
  model::Recording recording;
  recording.id = "program.1";
  recording.stacks.modules.emplace_back();
  recording.stacks.nodes.emplace_back();
  for (std::size_t i = 0; i < times.size(); ++i) {
    model::Moment moment;
    moment.time_s = times[i];
    for (const model::SiteHistory& site : sites) {
      moment.live_bytes += site.at[i].live_bytes;
      moment.live_blocks += site.at[i].live_blocks;
    }
    recording.moments.push_back(moment);
  }
  recording.sites = std::move(sites);
  return recording;
}

}  // namespace seep::rank
