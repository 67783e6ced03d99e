#include "analyzer/export/page_tables.h"

#include "analyzer/export/frame_name.h"
#include "analyzer/model/printable.h"
#include "analyzer/model/stack_key.h"

namespace seep::exporters {
namespace {

std::uint8_t flags_of(const model::ReportFrame& frame, bool is_named) {
  return static_cast<std::uint8_t>((frame.inlined ? PageFrame::kInlined : 0) |
                                   (frame.heuristic ? PageFrame::kHeuristic : 0) |
                                   (frame.nearest_symbol ? PageFrame::kNearestSymbol : 0) |
                                   (is_named ? 0 : PageFrame::kUnnamed));
}

std::uint64_t pair_of(std::uint32_t high, std::uint32_t low) {
  return (std::uint64_t{high} << 32U) | low;
}

}  // namespace

std::size_t PageTables::Hash::operator()(const PageFrame& frame) const {
  return model::combine_keys(pair_of(frame.name, frame.line), pair_of(frame.file, frame.module));
}

std::size_t PageTables::Hash::operator()(const PageNode& node) const {
  return model::combine_keys(node.parent, node.frame);
}

PageTables::PageTables() : nodes_(1) {
  text({});
}

std::uint32_t PageTables::text(std::string_view raw) {
  const auto known = text_numbers_.find(raw);
  if (known != text_numbers_.end()) {
    return known->second;
  }
  const auto number = static_cast<std::uint32_t>(texts_.size());
  text_numbers_.emplace(raw, number);
  texts_.push_back(model::printable(raw));
  return number;
}

std::uint32_t PageTables::frame(const model::ReportFrame& frame) {
  const bool is_named = frame.function && !frame.function->empty();
  const PageFrame here = {is_named ? text(*frame.function) : text(frame_name(frame)),
                          frame.file ? text(*frame.file) : 0,
                          text(frame.module),
                          frame.line.value_or(0),
                          static_cast<std::uint8_t>(frame.language),
                          flags_of(frame, is_named)};
  const auto [entry, is_new] =
      frame_numbers_.try_emplace(here, static_cast<std::uint32_t>(frames_.size()));
  if (is_new) {
    frames_.push_back(here);
  }
  return entry->second;
}

std::uint32_t PageTables::node(std::uint32_t parent, std::uint32_t frame) {
  const PageNode here = {parent, frame};
  const auto [entry, is_new] =
      node_numbers_.try_emplace(here, static_cast<std::uint32_t>(nodes_.size()));
  if (is_new) {
    nodes_.push_back(here);
  }
  return entry->second;
}

std::uint32_t PageTables::stack(const model::ReportStack& stack) {
  std::uint32_t at = 0;
  for (auto outer = stack.rbegin(); outer != stack.rend(); ++outer) {
    at = node(at, frame(*outer));
  }
  return at;
}

}  // namespace seep::exporters
