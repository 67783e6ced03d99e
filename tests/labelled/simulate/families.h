// Processes whose truth is known, as births and deaths of blocks: what one allocation site of a
// leaking or a sound program does. Times are shares of the run, so one family serves runs of every
// length; sizes of populations, lives and rates are drawn anew for each run.
#pragma once

#include <random>
#include <span>
#include <vector>

#include "tests/unit/rank/population.h"

namespace seep::labelled {

using Random = std::mt19937_64;

enum class Truth {
  kLeak,
  kNone,
  kUndecidable,  // no leak, but to the end of the run nothing tells it from one
};

struct Family {
  const char* name;
  Truth truth;
  std::vector<rank::Block> (*make)(Random&);  // over [0, 1]
};

// All families. Names are unique.
std::span<const Family> families();

// Snapshots of one run: even ones as `SEEP_INTERVAL=250ms`, or as `auto` keeps them; late by what a
// busy machine adds, the last at the end. The run's length is drawn from 5 s to 5 min.
std::vector<double> draw_times(Random& random);

}  // namespace seep::labelled
