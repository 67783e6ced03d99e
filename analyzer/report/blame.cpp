#include "analyzer/report/blame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "analyzer/report/frame_kind.h"

namespace seep::report {
namespace {

// FNV-1a, 64 bits; a separator keeps "ab","c" and "a","bc" apart.
void add(std::uint64_t& hash, std::string_view text) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  hash = (hash ^ 0xFF) * 0x100000001B3ULL;
}

}  // namespace

model::ReportStack without_allocator(model::ReportStack stack) {
  if (stack.empty()) {
    return stack;
  }
  const model::ReportFrame outermost = stack.back();
  std::erase_if(stack, is_seep_frame);
  stack.erase(stack.begin(), std::find_if_not(stack.begin(), stack.end(), is_allocator_frame));
  if (stack.empty()) {
    stack.push_back(outermost);
  }
  return stack;
}

unsigned blamed_frame(const model::ReportStack& stack) {
  const auto found = std::find_if_not(stack.begin(), stack.end(), is_library_frame);
  return found == stack.end() ? 0 : static_cast<unsigned>(found - stack.begin());
}

std::string suspect_id(model::SiteKind kind, const model::ReportStack& stack, unsigned blame) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  add(hash, model::name_of(kind));
  for (std::size_t i = blame; i < stack.size(); ++i) {
    const model::ReportFrame& frame = stack[i];
    if (frame.function && !frame.nearest_symbol) {
      add(hash, bare_name(frame));
      add(hash, base_name(frame.file.value_or("")));
    } else {
      add(hash, base_name(frame.module));
      add(hash, fmt::format("{:x}", frame.offset));
    }
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace seep::report
