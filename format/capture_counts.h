// Names and ids of what is counted about the capture of stacks. Data only.
#pragma once

#include <cstdint>

namespace seep::format {

enum class CaptureCount : std::uint32_t {
#define SEEP_CAPTURE_COUNT(id, name, meaning) name = id,
#include "format/capture_counts.inc"
#undef SEEP_CAPTURE_COUNT
};

struct CaptureCountName {
  CaptureCount count;
  const char* name;
  const char* meaning;
};

inline constexpr CaptureCountName kCaptureCountNames[] = {
#define SEEP_CAPTURE_COUNT(id, name, meaning) {CaptureCount::name, #name, meaning},
#include "format/capture_counts.inc"
#undef SEEP_CAPTURE_COUNT
};

inline constexpr std::uint32_t kCaptureCountCount =
    sizeof(kCaptureCountNames) / sizeof(kCaptureCountNames[0]);

}  // namespace seep::format
