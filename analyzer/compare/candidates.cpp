#include "analyzer/compare/candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace seep::compare {
namespace {

constexpr unsigned kFrames = 6;       // own frames that give keys
constexpr std::size_t kCommon = 200;  // stacks that share a key which says nothing any more

// What two frames that are alike have in common, at least one of them: a name, a line, an address.
std::vector<std::string> keys_of(const Frame& frame) {
  std::vector<std::string> keys;
  if (frame.function && !frame.function->base.empty()) {
    keys.push_back("f" + frame.function->base);
  }
  if (!frame.path.empty()) {
    keys.push_back(fmt::format("l{}:{}", frame.path.back(), frame.line));
  }
  if (frame.page_offset) {
    keys.push_back(fmt::format("o{}:{}", frame.module, *frame.page_offset / 2));
    // The address before or behind it may fall into the next pair.
    const unsigned other =
        *frame.page_offset % 2 == 0 ? *frame.page_offset - 1 : *frame.page_offset + 1;
    keys.push_back(fmt::format("o{}:{}", frame.module, other % 4096 / 2));
  }
  return keys;
}

template <typename Visit>
void for_each_key(const Stack& stack, const Visit& visit) {
  unsigned own = 0;
  for (const Frame& frame : stack) {
    for (const std::string& key : keys_of(frame)) {
      visit(key);
    }
    own += frame.of_library ? 0 : 1;
    if (own == kFrames) {
      return;
    }
  }
}

}  // namespace

void Candidates::add(const Stack& stack) {
  for_each_key(stack, [&](const std::string& key) {
    std::vector<std::size_t>& with_key = stacks_of_[key];
    if (with_key.empty() || with_key.back() != count_) {
      with_key.push_back(count_);
    }
  });
  ++count_;
}

std::vector<std::size_t> Candidates::like(const Stack& stack) const {
  std::map<std::size_t, unsigned> shared;
  for_each_key(stack, [&](const std::string& key) {
    const auto found = stacks_of_.find(key);
    if (found != stacks_of_.end() && found->second.size() <= kCommon) {
      for (const std::size_t number : found->second) {
        ++shared[number];
      }
    }
  });
  std::vector<std::pair<std::size_t, unsigned>> most(shared.begin(), shared.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  most.resize(std::min(most.size(), kMost));
  std::vector<std::size_t> numbers;
  numbers.reserve(most.size());
  for (const auto& [number, keys] : most) {
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace seep::compare
