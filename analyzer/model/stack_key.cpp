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

PlaceKeys::PlaceKeys(const Stacks& stacks) {
  modules_.reserve(stacks.modules.size());
  for (const Module& module : stacks.modules) {
    modules_.push_back(key_of_text(module.build_id.empty() ? module.path : module.build_id));
  }
  script_frames_.reserve(stacks.script_frames.size());
  for (const ScriptFrame& frame : stacks.script_frames) {
    script_frames_.push_back(combine_keys(key_of_text(frame.function), key_of_text(frame.file)) +
                             frame.line);
  }
}

std::uint64_t PlaceKeys::below(std::uint64_t callers, const Node& node) const {
  return node.language == Language::kNative
             ? combine_keys(callers ^ modules_[node.module], node.offset)
             : combine_keys(callers, script_frames_[node.offset]);
}

std::vector<std::uint64_t> stack_keys(const Stacks& stacks) {
  const PlaceKeys places(stacks);
  std::vector<std::uint64_t> keys(stacks.nodes.size());
  for (std::size_t i = 0; i < stacks.nodes.size(); ++i) {
    const Node& node = stacks.nodes[i];
    keys[i] = places.below(i == 0 ? 0 : keys[node.parent], node);
  }
  return keys;
}

}  // namespace seep::model
