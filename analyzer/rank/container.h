// Containers that double: a vector, a hash table or a buffer under realloc holds few blocks, and
// its bytes rise in steps by a factor. Steps come ever later, so halves and quarters do not judge
// them.
#pragma once

#include "analyzer/rank/curve.h"

namespace seep::rank {

struct Doubling {
  unsigned steps = 0;      // rises by a factor typical of containers
  double last_step_s = 0;  // time of the last one
  double next_step_s = 0;  // when the next would come if the filling went on as before
  double factor = 0;       // of the last step

  // Enough steps to call it a container that doubles.
  [[nodiscard]] bool recognized() const;
  // At `now` the next step is not overdue.
  [[nodiscard]] bool goes_on(double now) const;
};

// All zero for a site that does not look like one.
Doubling measure_doubling(const Curve& curve);

}  // namespace seep::rank
