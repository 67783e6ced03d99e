// Finds the stacks that one may be like, without comparing it with all. Not thread safe.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/compare/stack.h"

namespace seep::compare {

class Candidates {
 public:
  // `stack` gets the next number, from 0 on.
  void add(const Stack& stack);

  // Numbers of those with most in common near the allocator, at most kMost: most first, ties in
  // ascending order.
  [[nodiscard]] std::vector<std::size_t> like(const Stack& stack) const;

 private:
  static constexpr std::size_t kMost = 16;

  std::unordered_map<std::string, std::vector<std::size_t>> stacks_of_;  // by key of a frame
  std::size_t count_ = 0;
};

}  // namespace seep::compare
