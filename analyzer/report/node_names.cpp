#include "analyzer/report/node_names.h"

#include <string_view>

#include "analyzer/model/stack_key.h"
#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

// Frames without a name of their own are told apart by their instructions.
std::uint64_t number_of(const model::ReportFrame& frame, std::uint64_t instruction,
                        std::string_view place) {
  if (!frame.function || frame.nearest_symbol) {
    return instruction;
  }
  return model::combine_keys(model::key_of_text(bare_name(frame)), model::key_of_text(place));
}

}  // namespace

NodeNames::NodeNames(const std::vector<model::Recording>& recordings,
                     symbolize::Symbolizer& symbolizer)
    : recordings_(recordings), symbolizer_(symbolizer) {
  for (const model::Recording& recording : recordings) {
    places_.emplace_back(recording.stacks);
  }
}

std::uint64_t NodeNames::instruction(std::size_t recording, std::uint32_t node) const {
  return places_[recording].of(recordings_[recording].stacks.nodes[node]);
}

std::uint64_t NodeNames::inner_chain(std::size_t recording, std::uint32_t node,
                                     std::uint32_t depth) const {
  std::uint64_t chain = depth;
  for (; depth > 0 && node != 0; --depth) {
    chain = model::combine_keys(chain, instruction(recording, node));
    node = recordings_[recording].stacks.nodes[node].parent;
  }
  return depth == 0 ? chain : 0;
}

std::uint64_t NodeNames::interpreter_part(std::size_t recording, std::uint32_t node) const {
  const std::vector<model::Node>& nodes = recordings_[recording].stacks.nodes;
  const model::Language language = nodes[node].language;
  if (language != model::Language::kPhp && language != model::Language::kPython) {
    return 0;
  }
  std::uint64_t part = 1;
  for (; node != 0; node = nodes[node].parent) {
    if (nodes[node].language == model::Language::kNative) {
      part = model::combine_keys(part, instruction(recording, node));
    }
  }
  return part;
}

const NodeNames::Name& NodeNames::by_symbol(std::size_t recording, std::uint32_t node) {
  const std::uint64_t key = instruction(recording, node);
  const auto [entry, is_new] = symbols_.try_emplace(key);
  if (is_new) {
    const model::Stacks& stacks = recordings_[recording].stacks;
    const model::Node& here = stacks.nodes[node];
    const model::ReportFrame frame = symbolizer_.function(stacks, here);
    entry->second = {is_library_frame(frame), number_of(frame, key, base_name(frame.module))};
  }
  return entry->second;
}

const std::vector<Culprit>& NodeNames::by_debug_information(std::size_t recording,
                                                            std::uint32_t node) {
  const std::uint64_t key = instruction(recording, node);
  const auto [entry, is_new] = culprits_.try_emplace(key);
  if (is_new) {
    const model::Stacks& stacks = recordings_[recording].stacks;
    const model::Node& here = stacks.nodes[node];
    std::uint32_t inlined = 0;
    for (const auto& frame : symbolizer_.frames(stacks, here)) {
      if (!is_library_frame(frame)) {
        const std::string_view place = frame.file ? *frame.file : std::string_view(frame.module);
        entry->second.push_back(
            {0, inlined, number_of(frame, key, base_name(place)), may_be_wrapper(frame)});
      }
      ++inlined;
    }
  }
  return entry->second;
}

std::uint64_t NodeNames::innermost_function(std::size_t recording, std::uint32_t node) {
  const std::uint64_t innermost = by_symbol(recording, node).function;
  for (; node != 0; node = recordings_[recording].stacks.nodes[node].parent) {
    if (const Name& name = by_symbol(recording, node); !name.is_library) {
      return name.function;
    }
  }
  return innermost;
}

std::vector<Culprit> NodeNames::culprits(std::size_t recording, std::uint32_t node,
                                         std::size_t most) {
  std::vector<Culprit> found;
  for (std::uint32_t depth = 1; node != 0 && found.size() < most; ++depth) {
    for (Culprit culprit : by_debug_information(recording, node)) {
      culprit.depth = depth;
      found.push_back(culprit);
    }
    node = recordings_[recording].stacks.nodes[node].parent;
  }
  return found;
}

}  // namespace seep::report
