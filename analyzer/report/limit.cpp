#include "analyzer/report/limit.h"

#include <algorithm>
#include <limits>

#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/judge.h"

namespace seep::report {
namespace {

using model::Accounting;
using model::Recording;
using Field = std::uint64_t Accounting::*;

// A level that a limit is compared with, and how it grows.
struct Meter {
  double level = 0;
  double slope = 0;  // bytes a second
  model::Range range;
  bool is_known = true;  // every process was watched long enough

  void add(const Meter& other) {
    level += other.level;
    slope += other.slope;
    range = {range.low + other.range.low, range.high + other.range.high};
    is_known = is_known && other.is_known;
  }
};

Meter meter_of(const Recording& recording, Field field, double warmup_s) {
  std::vector<double> t;
  rank::Curve curve;
  for (const model::Moment& moment : recording.moments) {
    if (moment.time_s >= warmup_s) {
      t.push_back(moment.time_s);
      curve.bytes.push_back(static_cast<double>(moment.accounting.*field));
    }
  }
  Meter meter;
  meter.level = static_cast<double>(recording.moments.back().accounting.*field);
  meter.is_known = rank::Timeline{t, 0}.long_enough();
  if (meter.is_known) {
    curve.t = t;
    curve.blocks = curve.bytes;
    curve.births = curve.bytes;
    meter.slope = rank::measure_growth(curve, curve.begin_s()).slope;
    meter.range = rank::slope_interval(curve, curve.begin_s());
  }
  return meter;
}

// On the clock of the wall, seconds.
double ended_at(const Recording& recording) {
  return static_cast<double>(recording.process.started_unix_ns) / 1e9 +
         recording.moments.back().time_s;
}

// Processes whose last snapshot is not much before the last of all: the others have ended and given
// back what they had.
std::vector<const Recording*> alive_at_the_end(const std::vector<Recording>& recordings) {
  constexpr double kShare = 0.05;  // of its own time, since the last snapshots are spaced so
  double last = 0;
  for (const Recording& recording : recordings) {
    last = std::max(last, ended_at(recording));
  }
  std::vector<const Recording*> alive;
  for (const Recording& recording : recordings) {
    const double slack = std::max(1.0, kShare * recording.moments.back().time_s);
    if (ended_at(recording) >= last - slack) {
      alive.push_back(&recording);
    }
  }
  return alive;
}

Meter rss_of(const std::vector<const Recording*>& recordings, double warmup_s) {
  Meter sum;
  for (const Recording* recording : recordings) {
    sum.add(meter_of(*recording, &Accounting::rss_bytes, warmup_s));
  }
  return sum;
}

model::Limit limit_of(std::uint64_t bytes, const char* source, const Meter& meter) {
  model::Limit limit;
  limit.bytes = bytes;
  limit.source = source;
  limit.level_bytes = meter.level;
  const double left = std::max(static_cast<double>(bytes) - meter.level, 0.0);
  if (meter.is_known && meter.range.low > 0) {
    limit.seconds = model::Range{left / meter.range.high, left / meter.range.low};
    limit.expected_s = left / meter.slope;
  }
  return limit;
}

struct ProcessLimit {
  const char* source;
  Field limit;
  Field level;
};

constexpr ProcessLimit kProcessLimits[] = {
    {"rlimit", &Accounting::address_limit_bytes, &Accounting::address_bytes},
    {"rlimit", &Accounting::data_limit_bytes, &Accounting::data_bytes}};

std::vector<model::Limit> recorded_limits(const std::vector<const Recording*>& recordings,
                                          double warmup_s) {
  std::vector<model::Limit> limits;
  std::uint64_t cgroup = 0;
  for (const Recording* recording : recordings) {
    const Accounting& last = recording->moments.back().accounting;
    cgroup = std::max(cgroup, last.limit_bytes);
    for (const ProcessLimit& one : kProcessLimits) {
      if (last.*one.limit != 0) {
        limits.push_back(
            limit_of(last.*one.limit, one.source, meter_of(*recording, one.level, warmup_s)));
      }
    }
  }
  if (cgroup != 0) {
    limits.push_back(limit_of(cgroup, "cgroup", rss_of(recordings, warmup_s)));
  }
  return limits;
}

// Which is reached first; of those that are not, which has the least room.
bool is_nearer(const model::Limit& a, const model::Limit& b) {
  const auto key = [](const model::Limit& limit) {
    const double when = limit.expected_s.value_or(std::numeric_limits<double>::infinity());
    return std::pair(when, static_cast<double>(limit.bytes) - limit.level_bytes);
  };
  return key(a) < key(b);
}

}  // namespace

std::optional<model::Limit> nearest_limit(const std::vector<Recording>& recordings,
                                          std::optional<std::uint64_t> given, double warmup_s,
                                          bool grows, const std::optional<model::Work>& work) {
  const std::vector<const Recording*> alive = alive_at_the_end(recordings);
  std::vector<model::Limit> limits =
      given ? std::vector{limit_of(*given, "option", rss_of(alive, warmup_s))}
            : recorded_limits(alive, warmup_s);
  if (limits.empty()) {
    return std::nullopt;
  }
  model::Limit nearest = *std::min_element(limits.begin(), limits.end(), is_nearer);
  if (!grows) {
    nearest.seconds.reset();
    nearest.expected_s.reset();
  }
  if (nearest.seconds && work && work->per_s > 0) {
    nearest.units =
        model::Range{nearest.seconds->low * work->per_s, nearest.seconds->high * work->per_s};
  }
  return nearest;
}

}  // namespace seep::report
