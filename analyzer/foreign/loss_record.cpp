// The sentence that Valgrind says of a loss record, in its log and in its XML.
#include <array>
#include <utility>

#include "analyzer/foreign/reading.h"
#include "analyzer/foreign/valgrind.h"

namespace seep::foreign {
namespace {

constexpr std::array<std::pair<std::string_view, Kind>, 4> kKinds = {
    {{"are definitely lost", Kind::kDirect},
     {"are indirectly lost", Kind::kIndirect},
     {"are possibly lost", Kind::kPossible},
     {"are still reachable", Kind::kReachable}}};

// What stands before `mark`, which is cut off with it.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + mark.size());
  return before;
}

std::optional<std::uint64_t> bytes_of(std::string_view text) {
  const std::size_t bracket = text.find('(');
  if (bracket == std::string_view::npos) {
    return number_in(text);
  }
  std::string_view direct = text.substr(bracket + 1);
  const auto digits = take_until(direct, " direct");
  return digits ? number_in(*digits) : std::nullopt;
}

}  // namespace

bool is_difference(std::string_view text) {
  const std::string_view sizes = text.substr(0, text.find(" blocks "));
  return sizes.find("(+") != std::string_view::npos || sizes.find("(-") != std::string_view::npos;
}

bool parse_loss_record(std::string_view text, Leak& leak) {
  text = trimmed(text);
  const auto bytes = take_until(text, " bytes in ");
  const auto blocks = bytes ? take_until(text, " blocks ") : std::nullopt;
  if (!blocks || !bytes_of(*bytes) || !number_in(*blocks)) {
    return false;
  }
  for (const auto& [words, kind] : kKinds) {
    if (text.starts_with(words)) {
      leak.kind = kind;
      leak.bytes = *bytes_of(*bytes);
      leak.blocks = number_in(*blocks);
      return true;
    }
  }
  return false;
}

}  // namespace seep::foreign
