// What `seep` ends with (design §2.4). `seep run` has its own: cli/launch/child.h.
#pragma once

namespace seep::cli {

inline constexpr int kDone = 0;
inline constexpr int kLeakFound = 1;  // unless --error-exitcode says another
inline constexpr int kWrongUsage = 2;
inline constexpr int kBadInput = 3;
inline constexpr int kInternalError = 4;

}  // namespace seep::cli
