#include "analyzer/rank/confidence.h"

#include <array>
#include <cstddef>

#include "analyzer/rank/shape.h"

namespace seep::rank {
namespace {

struct Counted {
  const char* name;
  unsigned rows;
  unsigned right;
};

constexpr Counted kTable[] = {
#define CONFIDENCE(name, rows, right) {#name, rows, right},
#include "analyzer/rank/confidence_table.inc"
#undef CONFIDENCE
};

// Upper ends of the classes of arrivals.
constexpr std::array<double, 3> kEvents = {20, 50, 200};
// The centre of a gain that came evenly.
constexpr double kEvenCentre = 0.47;
// Deaths that are worth the name, as a share of the births.
constexpr double kSomeFreed = 0.02;
constexpr std::size_t kManySteps = 6;

// [class of arrivals][slower][freed], in the order of the table.
constexpr Bin kGrowing[4][2][2] = {
    {{Bin::k_under_20_even_kept, Bin::k_under_20_even_freed},
     {Bin::k_under_20_slower_kept, Bin::k_under_20_slower_freed}},
    {{Bin::k_under_50_even_kept, Bin::k_under_50_even_freed},
     {Bin::k_under_50_slower_kept, Bin::k_under_50_slower_freed}},
    {{Bin::k_under_200_even_kept, Bin::k_under_200_even_freed},
     {Bin::k_under_200_slower_kept, Bin::k_under_200_slower_freed}},
    {{Bin::k_from_200_even_kept, Bin::k_from_200_even_freed},
     {Bin::k_from_200_slower_kept, Bin::k_from_200_slower_freed}},
};

}  // namespace

Bin bin_of(const Curve& curve, const Growth& growth) {
  std::size_t arrivals = 0;
  while (arrivals < kEvents.size() && growth.pace.events >= kEvents[arrivals]) {
    ++arrivals;
  }
  const bool slower = growth.pace.centre < kEvenCentre;
  // The buffer before was freed whenever one was enlarged; that says nothing.
  const bool freed =
      growth.in_blocks && deaths_since(curve, growth.from_s) > kSomeFreed * growth.births;
  return kGrowing[arrivals][slower ? 1 : 0][freed ? 1 : 0];
}

Bin bin_of(const Doubling& doubling) {
  return doubling.steps.size() < kManySteps ? Bin::k_doubled_under_6 : Bin::k_doubled_from_6;
}

Bin bin_of(model::Behaviour behaviour) {
  switch (behaviour) {
    case model::Behaviour::kPlateau:
      return Bin::k_plateau;
    case model::Behaviour::kSawtooth:
      return Bin::k_sawtooth;
    case model::Behaviour::kOneTime:
      return Bin::k_one_time;
    case model::Behaviour::kSteady:
      return Bin::k_steady;
    case model::Behaviour::kGrowing:
    case model::Behaviour::kUnknown:
      break;
  }
  return Bin::k_unknown;
}

const char* name_of(Bin bin) {
  return kTable[static_cast<std::size_t>(bin)].name;
}

std::optional<double> confidence_of(Bin bin) {
  const Counted& counted = kTable[static_cast<std::size_t>(bin)];
  if (counted.rows < kLeastRows) {
    return std::nullopt;
  }
  return static_cast<double>(counted.right) / static_cast<double>(counted.rows);
}

}  // namespace seep::rank
