#include "analyzer/report/per_unit.h"

#include <algorithm>
#include <map>

#include "analyzer/rank/per_unit.h"

namespace seep::report {
namespace {

// What sites, or processes, add up to.
struct Sum {
  double units = 0;
  double bytes = 0;
  double blocks = 0;
  model::Range range;
  bool has_range = true;  // each of them has one

  void add(const rank::PerUnit& growth, double weight) {
    bytes += growth.bytes * weight;
    blocks += growth.blocks * weight;
    has_range = has_range && growth.bytes_range;
    const model::Range more = growth.bytes_range.value_or(model::Range{});
    range = {range.low + more.low * weight, range.high + more.high * weight};
  }

  // Divided by `by`.
  [[nodiscard]] rank::PerUnit shared(double by) const {
    rank::PerUnit growth{bytes / by, blocks / by, std::nullopt};
    if (has_range) {
      growth.bytes_range = model::Range{range.low / by, range.high / by};
    }
    return growth;
  }
};

std::map<std::size_t, Sum> by_process(const std::vector<model::Recording>& recordings,
                                      std::span<const rank::RankedSite> members, bool leak,
                                      double warmup_s) {
  // Sites of one cause may be a leak only together: then each of them is a part of it.
  const bool some = std::any_of(members.begin(), members.end(),
                                [&](const auto& member) { return member.leak == leak; });
  std::map<std::size_t, Sum> processes;
  for (const rank::RankedSite& member : members) {
    if (some && member.leak != leak) {
      continue;
    }
    const model::Recording& recording = recordings[member.recording];
    const rank::WorkDone work =
        rank::work_done(recording, std::max(warmup_s, member.growth_from_s));
    if (work.is_known()) {
      Sum& process = processes[member.recording];
      process.units = std::max(process.units, work.done());
      process.add(rank::growth_per_unit(recording.sites[member.site], work), 1);
    }
  }
  return processes;
}

// The name that the program gave.
std::string unit_of(const std::vector<model::Recording>& recordings) {
  for (const model::Recording& recording : recordings) {
    if (!recording.process.unit.empty()) {
      return recording.process.unit;
    }
  }
  return "unit";
}

// All that was counted are requests that PHP has served.
bool are_requests(const std::vector<model::Recording>& recordings) {
  bool any = false;
  for (const model::Recording& recording : recordings) {
    for (const model::Moment& moment : recording.moments) {
      if (moment.units && !moment.units_are_requests) {
        return false;
      }
      any = any || moment.units_are_requests;
    }
  }
  return any;
}

}  // namespace

std::optional<model::Work> work_of(const std::vector<model::Recording>& recordings,
                                   const std::string& unit, const std::string& counted_by) {
  model::Work work;
  for (const model::Recording& recording : recordings) {
    const rank::WorkDone done = rank::work_done(recording, 0);
    if (done.is_known()) {
      work.done += done.done();
      work.per_s += rank::units_per_s(recording, done);
    }
  }
  if (work.done == 0) {
    return std::nullopt;
  }
  const bool by_program = counted_by.empty();
  work.unit = !unit.empty() ? unit : by_program ? unit_of(recordings) : "call";
  work.counted_by = !by_program                ? counted_by
                    : are_requests(recordings) ? "counted as PHP ended them"
                                               : "counted by the program or by marks";
  return work;
}

void set_growth_per_unit(model::Suspect& suspect, const std::vector<model::Recording>& recordings,
                         std::span<const rank::RankedSite> members, double warmup_s) {
  Sum sum;
  for (const auto& [index, process] : by_process(recordings, members, suspect.leak, warmup_s)) {
    sum.units += process.units;
    sum.add(process.shared(1), process.units);
  }
  if (sum.units == 0) {
    return;
  }
  const rank::PerUnit growth = sum.shared(sum.units);
  suspect.growth_bytes_per_unit = growth.bytes;
  suspect.growth_blocks_per_unit = growth.blocks;
  suspect.growth_per_unit_range = growth.bytes_range;
}

bool ranks_per_unit(const std::vector<model::Suspect>& suspects) {
  bool any = false;
  for (const model::Suspect& suspect : suspects) {
    const bool grows = suspect.leak && suspect.growth_range;
    if (grows && !suspect.growth_per_unit_range) {
      return false;
    }
    any = any || grows;
  }
  return any;
}

}  // namespace seep::report
