// Valgrind's text log: "==PID== " before each line.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
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

// "==25696== ", "==00:00:01.234 25696== ": what stands in such a line for its process.
std::string_view process_of(std::string_view line) {
  std::string_view prefix = line.substr(2, line.find(line.substr(0, 2), 2) - 2);
  const std::size_t blank = prefix.rfind(' ');
  return blank == std::string_view::npos ? prefix : prefix.substr(blank + 1);
}

// "lost: 3,184 bytes in 199 blocks": 199.
std::uint64_t blocks_in(std::string_view text) {
  const std::size_t in = text.find(" in ");
  const std::size_t blocks = text.find(" blocks");
  return in != std::string_view::npos && blocks != std::string_view::npos && blocks > in
             ? number_in(text.substr(in + 4, blocks - in - 4)).value_or(0)
             : 0;
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
        process_ = process_of(line->text);
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
    if (!open_.empty()) {
      return error_at(log_.file, lines_.number(), "the log ends before its ERROR SUMMARY",
                      "let Valgrind's program end by itself, or copy the file again");
    }
    collect();
    note_what_is_not_listed();
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
      begin_summary();
    } else if (text.starts_with("ERROR SUMMARY:")) {
      open_.erase(process_);
    } else if (text.starts_with("Rerun with --leak-check=full to see details") ||
               text.starts_with("For a detailed leak analysis, rerun with")) {
      log_.lists_leaks = false;
      log_.lists_indirect = log_.lists_possible = log_.lists_reachable = false;
    } else if (text.starts_with("Reachable blocks (those to which a pointer was found)")) {
      log_.lists_reachable = false;
      log_.lists_indirect = false;
    } else if (text.find(" in loss record ") != std::string_view::npos) {
      return take_leak(text, number);
    } else if (text.starts_with("suppressed: ") && has_summary_) {
      log_.suppressed += blocks_in(text);
    } else if (has_summary_) {
      take_sum(text);
    }
    return std::nullopt;
  }

  // What stands before it are leak checks that the program asked for: the last one has it all.
  void begin_summary() {
    has_summary_ = true;
    open_.insert(process_);
    leaks_of_.erase(process_);
  }

  // In the order of the file.
  void collect() {
    for (auto& [process, leaks] : leaks_of_) {
      std::move(leaks.begin(), leaks.end(), std::back_inserter(log_.leaks));
    }
    std::sort(log_.leaks.begin(), log_.leaks.end(),
              [](const Leak& a, const Leak& b) { return a.line < b.line; });
  }

  void take_sum(std::string_view text) {
    const auto add = [&](std::string_view words, bool& any) {
      any = any || (text.starts_with(words) && blocks_in(text) != 0);
    };
    add("indirectly lost: ", any_indirect_);
    add("possibly lost: ", any_possible_);
    add("still reachable: ", any_reachable_);
  }

  void note_what_is_not_listed() {
    const auto lists = [&](Kind kind) {
      return std::any_of(log_.leaks.begin(), log_.leaks.end(),
                         [&](const Leak& leak) { return leak.kind == kind; });
    };
    log_.lists_indirect = log_.lists_indirect && (!any_indirect_ || lists(Kind::kIndirect));
    log_.lists_possible = log_.lists_possible && (!any_possible_ || lists(Kind::kPossible));
    log_.lists_reachable = log_.lists_reachable && (!any_reachable_ || lists(Kind::kReachable));
  }

  std::optional<Error> take_leak(std::string_view text, unsigned number) {
    Leak leak;
    leak.line = number;
    if (is_difference(text)) {
      return std::nullopt;  // to an earlier check, when the program asked for it
    }
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
    leaks_of_[process_].push_back(std::move(leak));
    return limits_.leak(log_.file, number);
  }

  TextLines lines_;
  Limits limits_;
  Log log_;
  bool is_memcheck_ = false;
  bool has_summary_ = false;
  bool any_indirect_ = false;  // by the sums
  bool any_possible_ = false;
  bool any_reachable_ = false;
  std::string_view process_;  // of the line that is read
  std::map<std::string_view, std::vector<Leak>> leaks_of_;
  std::set<std::string_view> open_;  // processes whose last summary did not end yet
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
