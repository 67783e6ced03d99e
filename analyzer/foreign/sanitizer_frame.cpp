#include <algorithm>
#include <cctype>

#include "analyzer/foreign/reading.h"
#include "analyzer/foreign/sanitizer.h"

namespace seep::foreign {
namespace {

// What stands before the next blank, which is cut off with it.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text = trimmed(text.substr(end));
  return word;
}

// "(/bin/server+0x11dd)", "(/bin/server)"; newer runtimes put "(BuildId: …)" behind it.
void take_module(std::string_view& text, Frame& frame) {
  constexpr std::string_view kBuildId = " (BuildId: ";
  if (const std::size_t id = text.rfind(kBuildId); id != std::string_view::npos) {
    text = trimmed(text.substr(0, id));
  }
  const std::size_t open = text.starts_with("(/") ? 0 : text.rfind(" (/");
  if (open == std::string_view::npos || !text.ends_with(')')) {
    return;
  }
  std::string_view module = text.substr(open);
  module = module.substr(module.find('(') + 1);
  module.remove_suffix(1);
  const std::size_t plus = module.rfind("+0x");
  if (plus != std::string_view::npos) {
    frame.offset = hex_in(module.substr(plus + 1));
  }
  if (frame.offset) {
    module = module.substr(0, plus);
  }
  frame.module = module;
  text = trimmed(text.substr(0, open));
}

// "operator new(unsigned long) ../../src/x.cpp:248", "f(int, char) /a folder/x.cpp:3:7".
void take_function(std::string_view text, Frame& frame) {
  std::string_view place = text;
  const auto line = take_line_number(place);
  std::size_t file = std::string_view::npos;
  if (line) {
    const std::size_t absolute = place.find(" /");
    file = absolute != std::string_view::npos ? absolute : place.rfind(' ');
  }
  if (file == std::string_view::npos) {
    frame.function = text;
    return;
  }
  frame.function = trimmed(place.substr(0, file));
  frame.file = trimmed(place.substr(file));
  frame.line = *line;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

bool parse_sanitizer_frame(std::string_view line, Frame& frame) {
  line = trimmed(line);
  const std::string_view number = take_word(line);
  if (!number.starts_with('#') || !is_number(number.substr(1))) {
    return false;
  }
  const std::string_view address = take_word(line);
  if (!address.starts_with("0x") || !hex_in(address)) {
    return false;
  }
  frame.address = hex_in(address);
  take_module(line, frame);
  constexpr std::string_view kIn = "in ";
  if (line.starts_with(kIn)) {
    take_function(trimmed(line.substr(kIn.size())), frame);
    if (frame.function == "<null>") {
      frame.function.clear();
    }
  }
  return true;
}

}  // namespace seep::foreign
