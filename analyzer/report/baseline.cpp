#include "analyzer/report/baseline.h"

#include <algorithm>
#include <optional>

#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

using model::Suspect;

bool same_function(const Suspect& a, const Suspect& b) {
  if (a.blame >= a.stack.size() || b.blame >= b.stack.size()) {
    return false;
  }
  const model::ReportFrame& one = a.stack[a.blame];
  const model::ReportFrame& other = b.stack[b.blame];
  const std::string name = bare_name(one);
  return !name.empty() && name == bare_name(other) &&
         base_name(one.file.value_or("")) == base_name(other.file.value_or(""));
}

template <typename Same>
std::vector<const Suspect*> select(const Baseline& baseline, Same same) {
  std::vector<const Suspect*> found;
  for (const Suspect& suspect : baseline.suspects) {
    if (same(suspect)) {
      found.push_back(&suspect);
    }
  }
  return found;
}

std::vector<const Suspect*> counterparts(const Suspect& suspect, const Baseline& baseline) {
  const auto by_id = select(baseline, [&](const Suspect& known) {
    return known.kind == suspect.kind && known.id == suspect.id;
  });
  return !by_id.empty() ? by_id : select(baseline, [&](const Suspect& known) {
    return known.kind == suspect.kind && same_function(known, suspect);
  });
}

// Upper bounds of what the counterparts grow by; unset when none of them has such a figure.
template <typename High>
std::optional<double> sum_of(const std::vector<const Suspect*>& known, High high) {
  std::optional<double> sum;
  for (const Suspect* suspect : known) {
    if (const std::optional<double> bound = high(*suspect)) {
      sum = sum.value_or(0) + std::max(*bound, 0.0);
    }
  }
  return sum;
}

std::optional<double> high_per_s(const Suspect& suspect) {
  return suspect.growth_range ? std::optional(suspect.growth_range->high)
                              : suspect.growth_bytes_per_s;
}

std::optional<double> per_unit(const Suspect& suspect) {
  return suspect.growth_bytes_per_unit;
}

std::optional<double> low_per_s(const Suspect& suspect) {
  return suspect.growth_range ? std::optional(suspect.growth_range->low)
                              : suspect.growth_bytes_per_s;
}

std::optional<double> unreachable(const Suspect& suspect) {
  return suspect.unreachable_blocks
             ? std::optional(static_cast<double>(*suspect.unreachable_blocks))
             : std::nullopt;
}

}  // namespace

bool is_known(const Suspect& suspect, const Baseline& baseline) {
  const std::vector<const Suspect*> known = counterparts(suspect, baseline);
  const auto stays_within = [](std::optional<double> now, std::optional<double> before) {
    return *now <= kClearlyMore * *before;
  };
  if (suspect.behaviour == model::Behaviour::kGrowing) {
    const std::optional<double> units_before = sum_of(known, per_unit);
    if (suspect.growth_bytes_per_unit && units_before) {
      return stays_within(suspect.growth_bytes_per_unit, units_before);
    }
    const std::optional<double> before = sum_of(known, high_per_s);
    if (low_per_s(suspect) && before) {
      return stays_within(low_per_s(suspect), before);
    }
  }
  const std::optional<double> lost_before = sum_of(known, unreachable);
  return suspect.unreachable_blocks.value_or(0) > 0 && lost_before &&
         stays_within(unreachable(suspect), lost_before);
}

}  // namespace seep::report
