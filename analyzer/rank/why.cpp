#include "analyzer/rank/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzer/model/figures.h"
#include "analyzer/rank/judge.h"
#include "analyzer/rank/shape.h"

namespace seep::rank {
namespace {

using model::format_bytes;
using model::format_count;
using model::format_duration;

std::string count_of(double blocks) {
  return format_count(static_cast<std::uint64_t>(std::llround(std::max(blocks, 0.0))));
}

// Over the whole life, what was born before the first snapshot counts too.
std::string freed_of(const Curve& curve, double from) {
  const bool whole = from <= curve.begin_s();
  const double births = curve.births.back() - (whole ? 0 : value_at(curve.t, curve.births, from));
  const double deaths =
      whole ? curve.births.back() - curve.blocks.back() : deaths_since(curve, from);
  return fmt::format("{} of {} blocks freed", count_of(deaths * curve.blocks_a_count),
                     count_of(births * curve.blocks_a_count));
}

std::string blocks_of(double blocks) {
  return count_of(blocks) + (blocks == 1 ? " block" : " blocks");
}

// What a gain rests on: in sample mode, on the blocks that were recorded.
std::string gained_of(const Growth& growth) {
  return growth.blocks_a_count == 1 ? blocks_of(growth.blocks)
                                    : fmt::format("{} recorded", blocks_of(growth.blocks));
}

std::string pace_of(const Growth& growth) {
  const double ratio = growth.first_half > 0 ? growth.second_half / growth.first_half : 0;
  if (growth.first_half <= 0) {
    return "second half faster than the first";
  }
  if (ratio > 0.9 && ratio < 1.1) {
    return "second half as fast as the first";
  }
  return fmt::format("second half {:.1f} times as fast as the first", ratio);
}

}  // namespace

std::string why_too_short(std::size_t snapshots, double seconds) {
  const char* missing = snapshots < kLeastSnapshots ? "are too few" : "are too short a time";
  return fmt::format("{} snapshot{} over {} {} to tell; at least {} over {} would decide",
                     snapshots, snapshots == 1 ? "" : "s", format_duration(seconds), missing,
                     kLeastSnapshots, format_duration(kLeastSeconds));
}

std::string why_few_samples(const Curve& curve) {
  const double seconds = curve.length_s();
  const double births = std::max(curve.births.back(), 1.0);
  return fmt::format(
      "{} recorded of about {} blocks: too few to tell; a run of {}, or a smaller "
      "SEEP_SAMPLE_BYTES, would decide",
      count_of(births), count_of(births * curve.blocks_a_count),
      format_duration(seconds * std::max(2.0, std::ceil(kLeastSurvivors / births))));
}

std::string why_one_time(const Curve& curve, double begin_s, double end_s) {
  if (curve.births.back() <= 0) {
    return "inherited from the parent process, nothing allocated since";
  }
  const std::string when =
      end_s <= curve.begin_s()
          ? "before the first snapshot"
          : fmt::format("between {} and {}", format_duration(begin_s), format_duration(end_s));
  return fmt::format("{} in one burst {}, {} of them alive at the end",
                     blocks_of(curve.births.back() * curve.blocks_a_count), when,
                     count_of(curve.blocks.back() * curve.blocks_a_count));
}

std::string why_sawtooth(unsigned drops) {
  return fmt::format("built up and released again {} times", drops);
}

std::string why_plateau(double reached_after_s, double observed_s) {
  return fmt::format("grew for {}, then kept its level to the end of {}",
                     format_duration(reached_after_s), format_duration(observed_s));
}

std::string why_kept(const Curve& curve) {
  return fmt::format("rose from {} to {} in all, no lasting growth; {}",
                     format_bytes(curve.bytes.front()), format_bytes(curve.bytes.back()),
                     freed_of(curve, curve.begin_s()));
}

std::string why_bends(const Growth& growth) {
  if (growth.first_half > 0 && growth.second_half < 0.7 * growth.first_half) {
    return fmt::format("slowing down: {} in the first half, {} in the second",
                       model::format_hourly(growth.first_half),
                       model::format_hourly(growth.second_half));
  }
  if (growth.stall_s > 0) {
    return fmt::format("grew until {} before the end, not since", format_duration(growth.stall_s));
  }
  return fmt::format("slowing down: {} gained in the first quarter, {} in the last",
                     format_bytes(growth.quarters[0]), format_bytes(growth.quarters[3]));
}

std::string why_slows(const Growth& growth) {
  return fmt::format(
      "slower towards the end, {} in the first quarter and {} in the last: a cache that fills "
      "looks "
      "the same; a run of {} would decide",
      format_bytes(growth.quarters[0]), format_bytes(growth.quarters[3]),
      format_duration(3 * growth.length_s()));
}

std::string why_steady(const Curve& curve) {
  return fmt::format("turns over without lasting growth: {}, {} alive",
                     freed_of(curve, curve.begin_s()),
                     count_of(curve.blocks.back() * curve.blocks_a_count));
}

std::string why_too_little(const Growth& growth) {
  return fmt::format("gained {} in {} over {}: too little to tell; a run of {} would decide",
                     format_bytes(growth.bytes), gained_of(growth),
                     format_duration(growth.length_s()), format_duration(4 * growth.length_s()));
}

std::string why_blocks_die(const Survival& survival, const Growth& growth) {
  if (!survival.known) {
    return fmt::format("grows, but no ages of blocks over {} tell whether they stay",
                       format_duration(growth.length_s()));
  }
  return fmt::format(
      "grows, but blocks are still being freed: {} of those alive {} before the end; a run of {} "
      "would decide",
      count_of(survival.died * growth.blocks_a_count), format_duration(survival.horizon_s),
      format_duration(3 * growth.length_s()));
}

std::string why_growing(const Curve& curve, const Growth& growth) {
  const std::string since = growth.from_s > curve.begin_s()
                                ? fmt::format("since {} ago ", format_duration(growth.length_s()))
                                : std::string();
  return fmt::format("{}grew in {} of {} intervals; {}; {}", since, growth.grown_intervals,
                     growth.intervals, freed_of(curve, growth.from_s), pace_of(growth));
}

std::string why_doubles(const Doubling& doubling) {
  return fmt::format(
      "one block that grew by a factor {} times, last by {:.1f} at {}; the next is not overdue",
      doubling.steps.size(), doubling.factor, format_duration(doubling.last_step_s));
}

std::string why_doubles_slower(const Doubling& doubling) {
  return fmt::format(
      "one block that grew by a factor {} times, the last after {}, the one before after {}: a "
      "cache "
      "that fills looks the same; a run of {} would decide",
      doubling.steps.size(), format_duration(doubling.last_wait_s),
      format_duration(doubling.wait_before_s), format_duration(3 * doubling.next_step_s));
}

std::string why_doubled(const Doubling& doubling, const Curve& curve) {
  return fmt::format("one block that grew by a factor {} times, not since {} of {}",
                     doubling.steps.size(), format_duration(doubling.last_step_s),
                     format_duration(curve.end_s()));
}

std::string why_kept_for_reuse(std::uint64_t kept_blocks, std::uint64_t live_blocks) {
  return fmt::format(
      "{} of {} blocks are of objects that were released: the interpreter keeps a bounded number "
      "of them to use them again",
      format_count(kept_blocks), format_count(live_blocks));
}

std::string why_released_at_end(std::uint64_t released_blocks, std::uint64_t live_blocks) {
  return fmt::format(
      "grew, but {} of {} blocks were of released objects at exit: a bounded list that the "
      "interpreter fills looks so, and what the end of the program releases; seep scan PID before "
      "the end would decide",
      format_count(released_blocks), format_count(live_blocks));
}

std::string why_as_its_elements(const std::string& why) {
  return "one block that grew with its elements, which are no leak: " + why;
}

}  // namespace seep::rank
