#include "analyzer/foreign/sanitizer.h"

#include <algorithm>
#include <utility>

#include "analyzer/foreign/reading.h"

namespace seep::foreign {
namespace {

constexpr const char* kAdvice =
    "give what the program wrote to stderr, or to the file of LSAN_OPTIONS=log_path=FILE";

// "Direct leak of 16 byte(s) in 1 object(s) allocated from:"
bool parse_head(std::string_view line, Leak& leak) {
  constexpr std::string_view kOf = " leak of ";
  constexpr std::string_view kIn = " byte(s) in ";
  const std::size_t of = line.find(kOf);
  const std::size_t in = line.find(kIn);
  const std::size_t end = line.find(" object(s) allocated from:");
  if (of == std::string_view::npos || in == std::string_view::npos ||
      end == std::string_view::npos || in < of || end < in) {
    return false;
  }
  const std::string_view kind = line.substr(0, of);
  const auto bytes = number_in(line.substr(of + kOf.size(), in - of - kOf.size()));
  const auto blocks = number_in(line.substr(in + kIn.size(), end - in - kIn.size()));
  if (!bytes || !blocks || (!kind.ends_with("Direct") && !kind.ends_with("Indirect"))) {
    return false;
  }
  leak.kind = kind.ends_with("Indirect") ? Kind::kIndirect : Kind::kDirect;
  leak.bytes = *bytes;
  leak.blocks = blocks;
  return true;
}

// Colours, as on a terminal: "ESC[1m".
std::string without_colours(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find("\x1b["), text.size());
    plain += text.substr(0, begin);
    text.remove_prefix(begin);
    const std::size_t end = text.find_first_not_of("0123456789;", 2);
    const bool colour = end != std::string_view::npos && text[end] == 'm';
    plain += text.empty() || colour ? "" : text.substr(0, 2);
    text.remove_prefix(std::min(colour ? end + 1 : 2, text.size()));
  }
  return plain;
}

class Reading {
 public:
  Reading(std::string_view text, const std::string& file) : lines_(text, file) {
    log_.tool = Tool::kLeakSanitizer;
    log_.file = file;
  }

  Result<Log> run() {
    while (const auto line = lines_.next()) {
      if (auto error = take(*line)) {
        return *error;
      }
    }
    if (open_reports_ != 0) {
      return error_at(log_.file, lines_.number(), "the report is cut: it has no SUMMARY line",
                      "let the program end by itself, or copy the file again");
    }
    if (!any_report_) {
      return error_at(log_.file, 1, "holds no report of LeakSanitizer", kAdvice);
    }
    return std::move(log_);
  }

 private:
  std::optional<Error> take(const TextLine& line) {
    const std::string_view text = trimmed(line.text);
    const auto has = [&](std::string_view words) {
      return text.find(words) != std::string_view::npos;
    };
    if (has("ERROR: LeakSanitizer: detected memory leaks")) {
      ++open_reports_;
      any_report_ = true;
    } else if ((has("SUMMARY: AddressSanitizer:") || has("SUMMARY: LeakSanitizer:")) &&
               has(" leaked in ")) {
      open_reports_ = 0;
      any_report_ = true;
    } else if (text.starts_with("Suppressions used:")) {
      any_report_ = true;
      return take_suppressions();
    } else if (text.starts_with("Omitting ")) {
      log_.omitted += number_in(text.substr(9, text.find(' ', 9) - 9)).value_or(0);
    } else if (has("LeakSanitizer has encountered a fatal error")) {
      return error_at(log_.file, line.number, "LeakSanitizer could not look for leaks",
                      "it does not work under ptrace or Valgrind, nor in some containers");
    } else if (has(" leak of ") && has("allocated from:")) {
      return take_leak(line);
    }
    return std::nullopt;
  }

  std::optional<Error> take_leak(const TextLine& head) {
    Leak leak;
    leak.line = head.number;
    if (!parse_head(trimmed(head.text), leak)) {
      return error_at(log_.file, head.number, "a leak does not say its size and kind");
    }
    bool empty = false;
    while (const auto line = lines_.next()) {
      Frame frame;
      if (leak.stack.empty() && trimmed(line->text) == "<empty stack>") {
        empty = true;
        break;
      }
      if (!parse_sanitizer_frame(line->text, frame)) {
        lines_.back();
        break;
      }
      if (auto error = limits_.frame(log_.file, line->number)) {
        return error;
      }
      leak.stack.push_back(std::move(frame));
    }
    if (leak.stack.empty() && !empty) {
      return error_at(log_.file, head.number + 1, "a leak has no call stack");
    }
    log_.leaks.push_back(std::move(leak));
    return limits_.leak(log_.file, head.number);
  }

  // "  count      bytes template" and a line for each, up to one of dashes.
  std::optional<Error> take_suppressions() {
    while (const auto line = lines_.next()) {
      std::string_view text = trimmed(line->text);
      if (text.empty() || text.starts_with('-')) {
        break;
      }
      const std::size_t first = text.find(' ');
      const auto count = number_in(text.substr(0, first));
      if (!count || first == std::string_view::npos) {
        continue;
      }
      text = trimmed(text.substr(first));
      log_.suppressed += *count;
      log_.suppressions.emplace_back(trimmed(text.substr(std::min(text.find(' '), text.size()))));
    }
    return std::nullopt;
  }

  TextLines lines_;
  Limits limits_;
  Log log_;
  unsigned open_reports_ = 0;
  bool any_report_ = false;
};

}  // namespace

Result<Log> read_sanitizer(std::string_view text, const std::string& file) {
  if (auto error = why_too_large(text, file)) {
    return *error;
  }
  if (trimmed(text).empty()) {
    Log log;
    log.tool = Tool::kLeakSanitizer;
    log.file = file;
    return log;
  }
  const std::string plain = without_colours(text);
  return Reading(plain, file).run();
}

}  // namespace seep::foreign
