// Collapsed (folded) stacks: a line a stack, "outer;inner 4096", as FlameGraph, inferno and
// speedscope read them.
#pragma once

#include "analyzer/export/profile.h"
#include "analyzer/export/write.h"

namespace seep::exporters {

struct CollapsedOptions {
  bool allocated = false;    // bytes that were ever allocated instead of those that are alive
  bool old_and_new = false;  // both values of what is compared instead of their difference
};

// Bytes, stacks of equal names in one line. Where something is compared a value may be negative; a
// stack of the value 0 has no line.
void write_collapsed(const Profile& profile, const CollapsedOptions& options, const Write& write);

}  // namespace seep::exporters
