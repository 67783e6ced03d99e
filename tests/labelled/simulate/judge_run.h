// One simulated run and what is said of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "analyzer/rank/judge.h"
#include "tests/labelled/simulate/families.h"

namespace seep::labelled {

struct Judged {
  rank::Verdict verdict;
  double length_s = 0;
  std::size_t blocks = 0;  // born in all

  [[nodiscard]] bool claims() const { return verdict.behaviour == model::Behaviour::kGrowing; }
};

// The same for the same seed.
Judged judge_run(const Family& family, std::uint64_t seed);

}  // namespace seep::labelled
