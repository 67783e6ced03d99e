// What is compared for a site: its level, or its growth per second or per unit of work.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analyzer/model/diff.h"
#include "analyzer/model/recording.h"

namespace seep::diff {

// The moments of one recording that a comparison looks at.
struct Window {
  std::vector<std::size_t> moments;  // indices into Recording::moments, ascending
  std::vector<double> x;             // seconds or units of work at them; empty for levels
};

struct Comparison {
  model::DiffBasis basis = model::DiffBasis::kLevel;
  Window old_window;
  Window new_window;
};

// The best basis that both sides allow: per unit where both have at least two moments with
// different units, else per second where both have two at different times, else levels at the last
// moment of each. Moments before `warmup_s` are left out; per second, so are those after the end of
// the shorter side, since a long run slows down where a short one still warms up.
Comparison choose_comparison(const model::Recording& old_side, const model::Recording& new_side,
                             double warmup_s);

struct Figures {
  double bytes = 0;
  double blocks = 0;
  bool present = false;  // something was alive at a moment of the window
  // Of `blocks`, that turnover alone would make: 0 for levels, and where nothing was released.
  double variance = 0;
  bool resized = false;  // a slope of blocks that became larger, step by step, with hardly a fall
};

// The sum over `sites` (indices into Recording::sites): level, or Theil–Sen slope.
//
// Blocks that come and go at random make a level that scatters like a Poisson count, with its mean
// for a variance (a steady M/G/inf queue), so the difference of two levels has twice that. A slope
// over the window is at least as well known as the difference of its ends over its length.
Figures figures_of(const model::Recording& recording, const std::vector<std::size_t>& sites,
                   const Window& window);

}  // namespace seep::diff
