#include "analyzer/report/diff_names.h"

#include "analyzer/model/stack_key.h"
#include "analyzer/report/blame.h"
#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

std::uint64_t key_of(const model::ReportFrame& frame) {
  if (!frame.function || frame.nearest_symbol) {
    return model::combine_keys(model::key_of_text(base_name(frame.module)), frame.offset);
  }
  return model::combine_keys(model::key_of_text(bare_name(frame)),
                             model::key_of_text(base_name(frame.file.value_or(""))));
}

}  // namespace

DiffNames::DiffNames(const model::Stacks& stacks, symbolize::Symbolizer& symbolizer)
    : stacks_(stacks), symbolizer_(symbolizer), names_outward_(stacks.nodes.size()) {}

const DiffNames::Place& DiffNames::place_of(std::uint32_t node) {
  const model::Node& here = stacks_.nodes[node];
  const auto [entry, is_new] = places_.try_emplace(model::combine_keys(here.module, here.offset));
  if (is_new) {
    Place& place = entry->second;
    for (const auto& frame : symbolizer_.frames(stacks_, here)) {
      if (!is_library_frame(frame)) {
        place.names = model::combine_keys(place.names, key_of(frame));
        place.innermost = place.innermost ? place.innermost : frame;
      }
    }
  }
  return entry->second;
}

// Libraries' frames are left out: how many there are depends on what was inlined.
std::uint64_t DiffNames::names_outward(std::uint32_t node) {
  std::vector<std::uint32_t> inner;
  for (; node != 0 && names_outward_[node] == 0; node = stacks_.nodes[node].parent) {
    inner.push_back(node);
  }
  std::uint64_t names = node == 0 ? 1 : names_outward_[node];
  for (auto at = inner.rbegin(); at != inner.rend(); ++at) {
    const std::uint64_t here = place_of(*at).names;
    names = here == 0 ? names : model::combine_keys(names, here) | 1;
    names_outward_[*at] = names;
  }
  return names;
}

void DiffNames::identify(model::DiffRow& row) {
  row.path_key = names_outward(row.node);
  for (std::uint32_t node = row.node; node != 0; node = stacks_.nodes[node].parent) {
    if (const auto& innermost = place_of(node).innermost) {
      row.id = suspect_id(row.kind, {*innermost}, 0);
      return;
    }
  }
  const auto stack = without_allocator(symbolizer_.stack(stacks_, row.node));
  row.id = suspect_id(row.kind, stack, blamed_frame(stack));
}

void DiffNames::name(model::DiffRow& row) {
  row.stack = without_allocator(symbolizer_.stack(stacks_, row.node));
}

}  // namespace seep::report
