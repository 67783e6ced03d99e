// speedscope's own JSON: one profile a process, each stack weighted by its live bytes.
#pragma once

#include "analyzer/export/profile.h"
#include "analyzer/export/write.h"

namespace seep::exporters {

// Largest stacks first. Of what is compared, only stacks that hold more than before: the format has
// no weights below 0.
void write_speedscope(const Profile& profile, const Write& write);

}  // namespace seep::exporters
