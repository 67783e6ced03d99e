#include "analyzer/report/limit.h"

#include <algorithm>
#include <limits>

#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/judge.h"
#include "analyzer/rank/per_unit.h"

namespace seep::report {
namespace {

using model::Accounting;
using model::Recording;
using Field = std::uint64_t Accounting::*;

// Of the growth of the whole window, which is over where the second half has not even this much.
constexpr double kStillGrowing = 0.25;
// What PHP's allocator takes from the system at a time.
constexpr std::uint64_t kPhpChunkBytes = std::uint64_t{2} << 20;

// A level that a limit is compared with, and how it grows.
struct Meter {
  double level = 0;  // at the end
  // What of it is sure to be there when the limit is reached, and what may be: where they differ,
  // nobody knows how much room there is up to the limit.
  double least = 0;
  double most = 0;
  double slope = 0;  // bytes a second
  model::Range range;
  Field field = nullptr;    // of which it is
  bool is_known = true;     // every process was watched long enough
  bool is_reached = false;  // the program was told so

  void add(const Meter& other) {
    level += other.level;
    least += other.least;
    most += other.most;
    slope += other.slope;
    range = {range.low + other.range.low, range.high + other.range.high};
    is_known = is_known && other.is_known;
  }
  [[nodiscard]] bool grows() const { return is_known && range.low > 0; }
};

// Of the moments that have the figure.
Meter meter_of(const Recording& recording, Field field, double warmup_s) {
  std::vector<double> t;
  rank::Curve curve;
  Meter meter;
  meter.field = field;
  for (const model::Moment& moment : recording.moments) {
    const auto level = static_cast<double>(moment.accounting.*field);
    meter.level = level == 0 ? meter.level : level;
    if (moment.time_s >= warmup_s && level != 0) {
      t.push_back(moment.time_s);
      curve.bytes.push_back(level);
    }
  }
  meter.least = meter.most = meter.level;
  meter.is_known = rank::Timeline{t, 0}.long_enough();
  if (meter.is_known) {
    curve.t = t;
    curve.blocks = curve.bytes;
    curve.births = curve.bytes;
    const rank::Growth growth = rank::measure_growth(curve, curve.begin_s());
    if (growth.second_half >= kStillGrowing * growth.slope) {
      meter.slope = growth.slope;
      meter.range = rank::slope_interval(curve, curve.begin_s());
    }
  }
  return meter;
}

// The last moment at which PHP's heap was there; null where it never was.
const Accounting* last_of_php(const Recording& recording) {
  const Accounting* last = nullptr;
  for (const model::Moment& moment : recording.moments) {
    last = moment.accounting.script_real_bytes != 0 ? &moment.accounting : last;
  }
  return last;
}

// Whether the last request came to its limit: there is a snapshot of that moment, and the peak of
// the heap is not that of a later request.
bool reached_limit_of_php(const Recording& recording) {
  bool is_reached = false;
  std::uint64_t peak = 0;
  for (const model::Moment& moment : recording.moments) {
    const std::uint64_t peak_now = moment.accounting.script_peak_bytes;
    const bool is_told = moment.trigger == model::Trigger::kLimit && peak_now != 0;
    is_reached = is_told || (is_reached && (peak_now == 0 || peak_now >= peak));
    peak = is_told ? peak_now : peak;
  }
  return is_reached;
}

// The limit is compared with what PHP has taken from the system, in whole chunks. What of that is
// free serves first, as far as what is asked for fits in; what the script has taken for a while may
// be taken for a while again. The rate is that of what is in use, which is known to the byte; where
// that stays, it is that of what was taken.
Meter meter_of_php(const Recording& recording, const Accounting& last, double warmup_s) {
  Meter meter = meter_of(recording, &Accounting::script_used_bytes, warmup_s);
  if (!meter.grows()) {
    meter = meter_of(recording, &Accounting::script_real_bytes, warmup_s);
  }
  const auto used = static_cast<double>(last.script_used_bytes);
  meter.level = (static_cast<double>(last.script_real_bytes) + used) / 2;
  meter.least = used;
  meter.most =
      static_cast<double>(last.script_peak_bytes + last.script_limit_bytes % kPhpChunkBytes);
  meter.is_reached = reached_limit_of_php(recording);
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

// A limit of all processes, or of one.
struct Candidate {
  model::Limit limit;
  Meter meter;
  const Recording* process = nullptr;

  [[nodiscard]] double left(double level) const {
    return std::max(static_cast<double>(limit.bytes) - level, 0.0);
  }
};

Candidate limit_of(std::uint64_t bytes, const char* source, const Meter& meter,
                   const Recording* process = nullptr) {
  Candidate candidate{{}, meter, process};
  model::Limit& limit = candidate.limit;
  limit.bytes = bytes;
  limit.source = source;
  limit.level_bytes = meter.level;
  if (process != nullptr) {
    limit.process = process->id;
  }
  if (meter.is_reached) {
    limit.seconds = model::Range{0, 0};
    limit.expected_s = 0;
  } else if (meter.grows()) {
    limit.seconds = model::Range{candidate.left(meter.most) / meter.range.high,
                                 candidate.left(meter.least) / meter.range.low};
    limit.expected_s = candidate.left(meter.level) / meter.slope;
  }
  return candidate;
}

struct ProcessLimit {
  const char* source;
  Field limit;
  Field level;
};

constexpr ProcessLimit kProcessLimits[] = {
    {"rlimit", &Accounting::address_limit_bytes, &Accounting::address_bytes},
    {"rlimit", &Accounting::data_limit_bytes, &Accounting::data_bytes}};

void add_process_limits(const Recording& recording, double warmup_s,
                        std::vector<Candidate>& limits) {
  const Accounting& last = recording.moments.back().accounting;
  for (const ProcessLimit& one : kProcessLimits) {
    if (last.*one.limit != 0) {
      limits.push_back(limit_of(last.*one.limit, one.source,
                                meter_of(recording, one.level, warmup_s), &recording));
    }
  }
  const Accounting* php = last_of_php(recording);
  if (php != nullptr && php->script_limit_bytes != 0) {
    limits.push_back(limit_of(php->script_limit_bytes, "memory_limit",
                              meter_of_php(recording, *php, warmup_s), &recording));
  }
}

std::vector<Candidate> recorded_limits(const std::vector<const Recording*>& recordings,
                                       double warmup_s) {
  std::vector<Candidate> limits;
  std::uint64_t cgroup = 0;
  for (const Recording* recording : recordings) {
    cgroup = std::max(cgroup, recording->moments.back().accounting.limit_bytes);
    add_process_limits(*recording, warmup_s, limits);
  }
  if (cgroup != 0) {
    limits.push_back(limit_of(cgroup, "cgroup", rss_of(recordings, warmup_s)));
  }
  return limits;
}

// Which is reached first; of those that are not, which has the least room.
bool is_nearer(const Candidate& a, const Candidate& b) {
  const auto key = [](const model::Limit& limit) {
    const double when = limit.expected_s.value_or(std::numeric_limits<double>::infinity());
    return std::pair(when, static_cast<double>(limit.bytes) - limit.level_bytes);
  };
  return key(a.limit) < key(b.limit);
}

// What one process has done, at the moments that have the figure.
rank::WorkDone work_beside(const Recording& recording, Field field) {
  const rank::WorkDone all = rank::work_done(recording, 0);
  rank::WorkDone work;
  for (std::size_t i = 0; i < all.moments.size(); ++i) {
    if (recording.moments[all.moments[i]].accounting.*field != 0) {
      work.moments.push_back(all.moments[i]);
      work.units.push_back(all.units[i]);
    }
  }
  return work;
}

// What a unit of work adds to a figure of a process; null where that is not known to be anything.
std::optional<rank::PerUnit> growth_per_unit(const Recording& recording, Field field) {
  const rank::WorkDone work = work_beside(recording, field);
  if (!work.is_known()) {
    return std::nullopt;
  }
  model::SiteHistory history;
  for (const model::Moment& moment : recording.moments) {
    history.at.emplace_back().live_bytes = moment.accounting.*field;
  }
  const rank::PerUnit growth = rank::growth_per_unit(history, work);
  return growth.bytes_range && growth.bytes_range->low > 0 ? std::optional(growth) : std::nullopt;
}

// Of one process by what each unit has added, whatever the load was; of all together by the pace of
// the work.
void set_units(const Candidate& nearest, const std::optional<model::Work>& work,
               model::Limit& limit) {
  if (!limit.seconds || !work) {
    return;
  }
  if (nearest.process == nullptr && work->per_s <= 0) {
    return;  // all of it was done at once
  }
  if (nearest.process == nullptr) {
    limit.units = model::Range{limit.seconds->low * work->per_s, limit.seconds->high * work->per_s};
    limit.expected_units = *limit.expected_s * work->per_s;
    return;
  }
  const auto growth = growth_per_unit(*nearest.process, nearest.meter.field);
  if (growth && !nearest.meter.is_reached) {
    limit.units = model::Range{nearest.left(nearest.meter.most) / growth->bytes_range->high,
                               nearest.left(nearest.meter.least) / growth->bytes_range->low};
    limit.expected_units = nearest.left(nearest.meter.level) / growth->bytes;
  }
}

}  // namespace

std::optional<model::Limit> nearest_limit(const std::vector<Recording>& recordings,
                                          std::optional<std::uint64_t> given, double warmup_s,
                                          bool grows, const std::optional<model::Work>& work) {
  const std::vector<const Recording*> alive = alive_at_the_end(recordings);
  const std::vector<Candidate> limits =
      given ? std::vector{limit_of(*given, "option", rss_of(alive, warmup_s))}
            : recorded_limits(alive, warmup_s);
  if (limits.empty()) {
    return std::nullopt;
  }
  const Candidate& nearest = *std::min_element(limits.begin(), limits.end(), is_nearer);
  model::Limit limit = nearest.limit;
  if (!grows && limit.expected_s.value_or(0) != 0) {
    limit.seconds.reset();
    limit.expected_s.reset();
  }
  set_units(nearest, work, limit);
  return limit;
}

}  // namespace seep::report
