// Valgrind's text log: "==PID== " before each line.
#include <algorithm>
#include <utility>

#include "analyzer/foreign/reading.h"
#include "analyzer/foreign/valgrind.h"

namespace seep::foreign {
namespace {

// "==25696==    at 0x…" without what stands before; unset for lines of the program.
std::optional<std::string_view> without_prefix(std::string_view line) {
  if (!line.starts_with("==") && !line.starts_with("--")) {
    return std::nullopt;
  }
  const std::size_t end = line.find(line.substr(0, 2), 2);
  return end == std::string_view::npos ? std::nullopt
                                       : std::optional(trimmed(line.substr(end + 2)));
}

// "at 0x109399: load_options (lost_at_exit.c:22)", "by 0x4A3: ??? (in /lib/libc.so.6)".
bool parse_frame(std::string_view text, Frame& frame) {
  if (!text.starts_with("at 0x") && !text.starts_with("by 0x")) {
    return false;
  }
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos) {
    return false;
  }
  frame.address = hex_in(text.substr(3, colon - 3));
  text.remove_prefix(colon + 2);
  const std::size_t open = text.rfind(" (");
  if (open != std::string_view::npos && text.ends_with(')')) {
    std::string_view place = text.substr(open + 2, text.size() - open - 3);
    constexpr std::string_view kIn = "in ";
    const std::string_view all = place;
    if (place.starts_with(kIn)) {
      frame.module = place.substr(kIn.size());
      text = text.substr(0, open);
    } else if (const auto line = take_line_number(place); line && place != all) {
      frame.file = place;
      frame.line = *line;
      text = text.substr(0, open);
    }
  }
  if (text != "???") {
    frame.function = text;
  }
  return frame.address.has_value();
}

class Reading {
 public:
  Reading(std::string_view text, const std::string& file) : lines_(text, file) {
    log_.tool = Tool::kValgrind;
    log_.file = file;
    log_.lists_possible = true;
    log_.lists_indirect = true;
    log_.lists_reachable = true;
  }

  Result<Log> run() {
    while (const auto line = lines_.next()) {
      if (const auto text = without_prefix(line->text)) {
        if (auto error = take(*text, line->number)) {
          return *error;
        }
      }
    }
    if (!is_memcheck_) {
      return error_at(log_.file, 1, "is no log of Valgrind's memcheck",
                      "give a file of valgrind --log-file=FILE --leak-check=full, or its XML");
    }
    if (!has_summary_) {
      return error_at(log_.file, lines_.number(), "the log ends before its HEAP SUMMARY",
                      "let Valgrind's program end by itself, or copy the file again");
    }
    return std::move(log_);
  }

 private:
  std::optional<Error> take(std::string_view text, unsigned number) {
    constexpr std::string_view kCommand = "Command: ";
    if (text.starts_with("Memcheck, ")) {
      is_memcheck_ = true;
    } else if (text.starts_with(kCommand)) {
      const std::string_view command = text.substr(kCommand.size());
      log_.program = command.substr(0, command.find(' '));
    } else if (text.starts_with("HEAP SUMMARY:")) {
      has_summary_ = true;
    } else if (text.starts_with("Rerun with --leak-check=full to see details")) {
      log_.lists_leaks = false;
    } else if (text.starts_with("Reachable blocks (those to which a pointer was found)")) {
      log_.lists_reachable = false;
      log_.lists_indirect = false;
    } else if (text.find(" in loss record ") != std::string_view::npos) {
      return take_leak(text, number);
    } else if (text.starts_with("suppressed: ") && has_summary_) {
      take_suppressed(text);
    }
    return std::nullopt;
  }

  std::optional<Error> take_leak(std::string_view text, unsigned number) {
    Leak leak;
    leak.line = number;
    if (!parse_loss_record(text, leak)) {
      return error_at(log_.file, number, "a loss record does not say its size and kind");
    }
    while (const auto line = lines_.next()) {
      Frame frame;
      const auto inner = without_prefix(line->text);
      if (!inner || !parse_frame(*inner, frame)) {
        lines_.back();
        break;
      }
      if (auto error = limits_.frame(log_.file, line->number)) {
        return error;
      }
      leak.stack.push_back(std::move(frame));
    }
    if (leak.stack.empty()) {
      return error_at(log_.file, number + 1, "a loss record has no call stack");
    }
    log_.leaks.push_back(std::move(leak));
    return limits_.leak(log_.file, number);
  }

  // "suppressed: 0 bytes in 0 blocks"
  void take_suppressed(std::string_view text) {
    const std::size_t in = text.find(" in ");
    const std::size_t blocks = text.find(" blocks");
    if (in != std::string_view::npos && blocks != std::string_view::npos && blocks > in) {
      log_.suppressed += number_in(text.substr(in + 4, blocks - in - 4)).value_or(0);
    }
  }

  TextLines lines_;
  Limits limits_;
  Log log_;
  bool is_memcheck_ = false;
  bool has_summary_ = false;
};

}  // namespace

Result<Log> read_valgrind_text(std::string_view text, const std::string& file) {
  if (auto error = why_too_large(text, file)) {
    return *error;
  }
  return Reading(text, file).run();
}

Result<Log> read_valgrind(std::string_view text, const std::string& file) {
  const std::string_view begin = trimmed(text.substr(0, 1024));
  if (begin.empty()) {
    return error_at(file, 1, "the file is empty",
                    "Valgrind writes it when it ends: --xml=yes --xml-file=FILE");
  }
  return begin.front() == '<' ? read_valgrind_xml(text, file) : read_valgrind_text(text, file);
}

}  // namespace seep::foreign
