// Keeps SEEP_DIR small enough: the oldest finished recordings go first.
// Context: IN-AGENT. Raw system calls; several processes may do this at once.
#pragma once

#include <cstdint>
#include <string_view>

namespace seep::agent {

// Removes finished recordings of `base`, oldest first and a few dozen at most, until all of it fits
// `budget_bytes` and a tenth of the free space. Never the recording `own_name`, one whose process
// is alive, or anything that is no recording. Returns how many were removed.
unsigned enforce_budget(const char* base, std::string_view own_name, std::uint64_t budget_bytes);

}  // namespace seep::agent
