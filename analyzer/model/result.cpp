#include "analyzer/model/result.h"

#include <fmt/format.h>

namespace seep {

std::string Error::message() const {
  std::string text = "seep: ";
  if (!file.empty()) {
    text += file + ": ";
  }
  if (!section.empty()) {
    text += "section " + section + ": ";
  }
  text += what;
  if (offset) {
    text += fmt::format(" (at {:#x})", *offset);
  }
  if (!advice.empty()) {
    text += ": " + advice;
  }
  return text;
}

}  // namespace seep
