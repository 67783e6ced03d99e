#include "analyzer/model/stack_key.h"

#include <string_view>

namespace seep::model {
namespace {

// SplitMix64's finalizer (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

}  // namespace

std::uint64_t combine_keys(std::uint64_t outer, std::uint64_t inner) {
  return mix(mix(outer) + inner);
}

// FNV-1a, 64 bits.
std::uint64_t key_of_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return hash;
}

std::vector<std::uint64_t> module_keys(const Stacks& stacks) {
  std::vector<std::uint64_t> keys;
  keys.reserve(stacks.modules.size());
  for (const Module& module : stacks.modules) {
    keys.push_back(key_of_text(module.build_id.empty() ? module.path : module.build_id));
  }
  return keys;
}

std::vector<std::uint64_t> stack_keys(const Stacks& stacks) {
  const std::vector<std::uint64_t> modules = module_keys(stacks);
  std::vector<std::uint64_t> keys(stacks.nodes.size());
  for (std::size_t i = 0; i < stacks.nodes.size(); ++i) {
    const Node& node = stacks.nodes[i];
    const std::uint64_t parent = i == 0 ? 0 : keys[node.parent];
    keys[i] = combine_keys(parent ^ modules[node.module], node.offset);
  }
  return keys;
}

}  // namespace seep::model
