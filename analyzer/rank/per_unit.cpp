#include "analyzer/rank/per_unit.h"

#include <algorithm>
#include <limits>

#include "analyzer/model/theil_sen.h"
#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"
#include "analyzer/rank/judge.h"

namespace seep::rank {
namespace {

WorkDone counted_from(const model::Recording& recording, double from_s) {
  WorkDone work;
  for (std::size_t i = 0; i < recording.moments.size(); ++i) {
    const model::Moment& moment = recording.moments[i];
    if (!moment.units || moment.time_s < from_s) {
      continue;
    }
    const auto units = static_cast<double>(*moment.units);
    if (work.units.empty() || units >= work.units.back()) {
      work.moments.push_back(i);
      work.units.push_back(units);
    }
  }
  return work;
}

// The site at the moments that count, with units in the place of seconds.
Curve curve_over(const model::SiteHistory& site, const WorkDone& work) {
  model::SiteHistory counted;
  for (const std::size_t moment : work.moments) {
    counted.at.push_back(site.at[moment]);
    if (!site.estimates.empty()) {
      counted.estimates.push_back(site.estimates[moment]);
    }
  }
  return curve_of(counted, work.units, 0);
}

model::Range span_of_slopes(const Curve& curve) {
  model::Range span{std::numeric_limits<double>::infinity(),
                    -std::numeric_limits<double>::infinity()};
  for (std::size_t i = 1; i < curve.t.size(); ++i) {
    const double units = curve.t[i] - curve.t[i - 1];
    if (units > 0) {
      const double slope = (curve.bytes[i] - curve.bytes[i - 1]) / units;
      span = {std::min(span.low, slope), std::max(span.high, slope)};
    }
  }
  return span;
}

PerUnit at_the_moments(const Curve& curve) {
  PerUnit growth;
  growth.bytes = model::theil_sen_slope(curve.t, curve.bytes);
  growth.blocks = model::theil_sen_slope(curve.t, curve.blocks);
  if (curve.t.size() > 2) {
    growth.bytes_range = span_of_slopes(curve);
  }
  return growth;
}

PerUnit at_even_points(Curve& curve) {
  PerUnit growth;
  growth.bytes = measure_growth(curve, curve.begin_s()).slope;
  growth.bytes_range = slope_interval(curve, curve.begin_s());
  std::swap(curve.bytes, curve.blocks);
  growth.blocks = measure_growth(curve, curve.begin_s()).slope;
  return growth;
}

}  // namespace

WorkDone work_done(const model::Recording& recording, double from_s) {
  WorkDone work = counted_from(recording, from_s);
  return work.is_known() ? work : counted_from(recording, 0);
}

double units_per_s(const model::Recording& recording, const WorkDone& work) {
  std::vector<double> t;
  for (const std::size_t moment : work.moments) {
    t.push_back(recording.moments[moment].time_s);
  }
  return model::theil_sen_slope(t, work.units);
}

PerUnit growth_per_unit(const model::SiteHistory& site, const WorkDone& work) {
  Curve curve = curve_over(site, work);
  const double blocks_a_count = curve.blocks_a_count;
  PerUnit growth =
      work.units.size() < kLeastSnapshots ? at_the_moments(curve) : at_even_points(curve);
  growth.blocks *= blocks_a_count;
  return growth;
}

}  // namespace seep::rank
