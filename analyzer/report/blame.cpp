#include "analyzer/report/blame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace seep::report {
namespace {

// FNV-1a, 64 bits.
class Hash {
 public:
  // A separator keeps "ab","c" and "a","bc" apart.
  void add(std::string_view text) {
    for (const char c : text) {
      value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    }
    value_ = (value_ ^ 0xFF) * 0x100000001B3ULL;
  }

  void add(const model::ReportFrame& frame, BareNames& names) {
    if (frame.function && !frame.nearest_symbol) {
      add(names.of(frame));
      add(base_name(frame.file.value_or("")));
    } else {
      add(base_name(frame.module));
      add(fmt::format("{:x}", frame.offset));
    }
  }

  [[nodiscard]] std::string text() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

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
  Hash hash;
  hash.add(model::name_of(kind));
  if (blame < stack.size()) {
    BareNames names;
    hash.add(stack[blame], names);
  }
  return hash.text();
}

std::string site_id(model::SiteKind kind, const model::ReportStack& stack, unsigned blame,
                    BareNames& names) {
  Hash hash;
  hash.add("site");
  hash.add(model::name_of(kind));
  for (std::size_t i = blame; i < stack.size(); ++i) {
    hash.add(stack[i], names);
  }
  return hash.text();
}

std::string derived_id(std::string_view id, std::string_view verdict, unsigned copy) {
  Hash hash;
  hash.add(id);
  hash.add(verdict);
  hash.add(fmt::format("{}", copy));
  return hash.text();
}

}  // namespace seep::report
