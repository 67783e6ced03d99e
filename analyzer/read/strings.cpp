#include <fmt/format.h>

#include "analyzer/read/sections.h"

namespace seep::read {
namespace {

// Paths and build-ids may be shared by many records of a real file (a plugin loaded again and
// again), but not by so many.
constexpr std::uint64_t kMostExpansion = 16;

}  // namespace

Strings::Strings(const Section& section, std::size_t file_bytes)
    : bytes_(section.bytes), name_(section.name()), left_(file_bytes * kMostExpansion) {}

Result<std::string_view> Strings::get(const format::StringRef& ref, const Section& user,
                                      std::uint64_t offset) {
  const auto bytes = bytes_.slice(ref.offset, ref.length);
  if (!bytes) {
    return section_error(user, offset,
                         fmt::format("a text at {} of {} bytes is outside the {} section",
                                     ref.offset, ref.length, name_));
  }
  if (!charge(ref.length)) {
    return section_error(user, offset, "its texts together are far longer than the file");
  }
  return bytes->text();
}

bool Strings::charge(std::uint64_t bytes) {
  if (bytes > left_) {
    return false;
  }
  left_ -= bytes;
  return true;
}

}  // namespace seep::read
