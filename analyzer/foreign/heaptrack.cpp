#include "analyzer/foreign/heaptrack.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "analyzer/foreign/reading.h"

namespace seep::foreign {
namespace {

constexpr const char* kAdvice = "give what heaptrack_print -l 1 -p 0 -a 0 -T 0 FILE prints";
constexpr std::string_view kLeaked = " leaked over ";
constexpr std::string_view kTotal = "total memory leaked: ";

// "72B", "9.60K", "1.05G": decimal, three digits.
std::optional<std::uint64_t> size_in(std::string_view text) {
  constexpr std::string_view kUnits = "BKMGTP";
  text = trimmed(text);
  double value = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const auto unit = text.substr(static_cast<std::size_t>(stop - text.data()));
  const std::size_t power = unit.size() == 1 ? kUnits.find(unit.front()) : std::string_view::npos;
  if (error != std::errc() || power == std::string_view::npos || !(value >= 0) || value > 1e6) {
    return std::nullopt;
  }
  constexpr double kLargest = 9e18;  // llround() has no more
  const double bytes = value * std::pow(1000, power);
  return bytes < kLargest ? std::optional(static_cast<std::uint64_t>(std::llround(bytes)))
                          : std::nullopt;
}

bool is_head(std::string_view text) {
  return text.find(kLeaked) != std::string_view::npos &&
         (text.ends_with(" calls from") || text.ends_with(" calls from:"));
}

bool is_unknown(std::string_view function) {
  return function.starts_with("0x") || function.starts_with("<unresolved") || function == "??";
}

// The listing has the innermost frames of several call stacks once, then the callers of each.
class Reading {
 public:
  Reading(std::string_view text, const std::string& file) : lines_(text, file) {
    log_.tool = Tool::kHeaptrack;
    log_.file = file;
    log_.rounded = true;
    log_.lists_reachable = true;
  }

  Result<Log> run() {
    while (const auto line = lines_.next()) {
      if (auto error = take(*line)) {
        return *error;
      }
    }
    if (!in_leaks_) {
      return error_at(log_.file, 1, "lists no leaks of heaptrack", kAdvice);
    }
    if (!total_) {
      return error_at(log_.file, lines_.number(), "the listing ends before its total",
                      "copy the file again");
    }
    constexpr double kRounding = 0.98;
    if (static_cast<double>(listed_) < kRounding * static_cast<double>(*total_)) {
      log_.omitted = 1;  // at least: it does not say how many
    }
    return std::move(log_);
  }

 private:
  std::optional<Error> take(const TextLine& line) {
    constexpr std::string_view kCommand = "Debuggee command was: ";
    const std::string_view text = trimmed(line.text);
    if (text.starts_with(kCommand)) {
      log_.program = text.substr(kCommand.size());
      log_.program.resize(std::min(log_.program.find(' '), log_.program.size()));
    } else if (text == "MEMORY LEAKS") {
      in_leaks_ = true;
    } else if (text.starts_with(kTotal)) {
      total_ = size_in(text.substr(kTotal.size()));
    } else if (in_leaks_ && !total_ && is_head(text)) {
      return take_entry(line);
    }
    return std::nullopt;
  }

  std::optional<Error> take_entry(const TextLine& head) {
    Leak all;
    if (auto error = begin(head, all)) {
      return error;
    }
    listed_ += all.bytes;
    std::uint64_t left = all.bytes;
    while (const auto line = lines_.next()) {
      const std::string_view text = trimmed(line->text);
      if (!is_head(text) || !text.ends_with(':')) {
        lines_.back();
        break;
      }
      Leak one;
      const std::vector<Frame> inner = all.stack;
      if (auto error = begin(*line, one)) {
        return error;
      }
      one.stack.insert(one.stack.begin(), inner.begin(), inner.end());
      left -= std::min(left, one.bytes);
      log_.leaks.push_back(std::move(one));
      if (auto error = limits_.leak(log_.file, line->number)) {
        return error;
      }
    }
    // Rounding leaves a little over; "and 14.40K from 1 other places" is more.
    if (static_cast<double>(left) > 0.02 * static_cast<double>(all.bytes)) {
      all.bytes = left;
      log_.leaks.push_back(std::move(all));
      return limits_.leak(log_.file, head.number);
    }
    return std::nullopt;
  }

  // The size, and the frames below it up to an empty line, another head, or what others have.
  std::optional<Error> begin(const TextLine& head, Leak& leak) {
    const std::string_view text = trimmed(head.text);
    const auto bytes = size_in(text.substr(0, text.find(kLeaked)));
    if (!bytes) {
      return error_at(log_.file, head.number, "a leak does not say its size");
    }
    leak.kind = Kind::kNotFreed;
    leak.bytes = *bytes;
    leak.line = head.number;
    while (const auto line = lines_.next()) {
      const std::string_view part = trimmed(line->text);
      if (part.empty() || is_head(part)) {
        lines_.back();
        break;
      }
      if (part.starts_with("and ") && part.ends_with(" other places")) {
        break;
      }
      if (auto error = take_part(part, line->number, leak)) {
        return error;
      }
    }
    return std::nullopt;
  }

  std::optional<Error> take_part(std::string_view part, unsigned number, Leak& leak) {
    const bool of_last = !leak.stack.empty();
    if (of_last && part.starts_with("at ")) {
      std::string_view place = part.substr(3);
      const auto line = take_line_number(place);
      leak.stack.back().file = place;
      leak.stack.back().line = line.value_or(0);
    } else if (of_last && part.starts_with("in ")) {
      leak.stack.back().module = part.substr(3);
    } else {
      leak.stack.emplace_back();
      leak.stack.back().function = is_unknown(part) ? "" : part;
      return limits_.frame(log_.file, number);
    }
    return std::nullopt;
  }

  TextLines lines_;
  Limits limits_;
  Log log_;
  bool in_leaks_ = false;
  std::optional<std::uint64_t> total_;
  std::uint64_t listed_ = 0;
};

}  // namespace

Result<Log> read_heaptrack(std::string_view text, const std::string& file) {
  if (auto error = why_too_large(text, file)) {
    return *error;
  }
  return Reading(text, file).run();
}

}  // namespace seep::foreign
