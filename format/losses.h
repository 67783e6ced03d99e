// Names and ids of the losses that are counted. Data only.
#pragma once

#include <cstdint>

namespace seep::format {

enum class Loss : std::uint32_t {
#define SEEP_LOSS(id, name, meaning) name = id,
#include "format/losses.inc"
#undef SEEP_LOSS
};

struct LossName {
  Loss loss;
  const char* name;
  const char* meaning;
};

inline constexpr LossName kLossNames[] = {
#define SEEP_LOSS(id, name, meaning) {Loss::name, #name, meaning},
#include "format/losses.inc"
#undef SEEP_LOSS
};

inline constexpr std::uint32_t kLossCount = sizeof(kLossNames) / sizeof(kLossNames[0]);

}  // namespace seep::format
