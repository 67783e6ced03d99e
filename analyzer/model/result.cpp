#include "analyzer/model/result.h"

#include <fmt/format.h>

#include "analyzer/model/printable.h"

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
  return model::printable(text);  // names of files and words of damaged ones are in it
}

}  // namespace seep
