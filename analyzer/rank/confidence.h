// How often a verdict like this one was right where the truth was known: the share, among verdicts
// that rest on the same kind of evidence, whose `leak` was right. Counted on simulated sites by
// scripts/calibrate.py, which writes confidence_table.inc; docs/ranking.md says on which.
#pragma once

#include <cstdint>
#include <optional>

#include "analyzer/model/report.h"
#include "analyzer/rank/container.h"
#include "analyzer/rank/curve.h"
#include "analyzer/rank/growth.h"

namespace seep::rank {

// A bin with fewer rows than this claims nothing.
inline constexpr unsigned kLeastRows = 30;

enum class Bin : std::uint8_t {
#define CONFIDENCE(name, rows, right) k_##name,
#include "analyzer/rank/confidence_table.inc"
#undef CONFIDENCE
};

// Of a site that grows: by the number of independent arrivals, whether the rate fell a little, and
// whether some of its blocks were freed.
Bin bin_of(const Curve& curve, const Growth& growth);
// Of a container that doubles: by its steps.
Bin bin_of(const Doubling& doubling);
// Of everything else.
Bin bin_of(model::Behaviour behaviour);

const char* name_of(Bin bin);

// 0 to 1; nullopt for a bin with fewer than kLeastRows rows.
std::optional<double> confidence_of(Bin bin);

}  // namespace seep::rank
