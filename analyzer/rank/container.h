// Containers that double: a vector, a hash table or a buffer under realloc holds few blocks, and
// its bytes rise in steps by a factor. Steps come ever later, so halves and quarters do not judge
// them.
#pragma once

#include <cstddef>
#include <vector>

#include "analyzer/rank/curve.h"

namespace seep::rank {

// A rise by a factor typical of containers, seen at moment `at` of the curve and not before.
struct Step {
  std::size_t at = 0;
  double bytes_before = 0;
};

struct Doubling {
  std::vector<Step> steps;
  double last_step_s = 0;  // time of the last one
  double next_step_s = 0;  // when the next would come if the filling went on as before
  double factor = 0;       // of the last step
  double last_wait_s = 0;  // before the last step, and before the one before it
  double wait_before_s = 0;
  double resolution_s = 0;  // time between the snapshots around the last step

  // Enough steps to call it a container that doubles.
  [[nodiscard]] bool recognized() const;
  // Steps take `factor` times as long each, as they do when it is filled at a constant rate; longer
  // and longer, as when a memo table finds ever fewer new keys, is slowing down.
  [[nodiscard]] bool keeps_pace() const;
  // At `now` the next step is not overdue.
  [[nodiscard]] bool goes_on(double now) const;
};

// All zero for a site that does not look like one.
Doubling measure_doubling(const Curve& curve);

}  // namespace seep::rank
