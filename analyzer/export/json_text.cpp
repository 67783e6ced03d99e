#include "analyzer/export/json_text.h"

#include "analyzer/model/printable.h"

namespace seep::exporters {

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : model::printable(text)) {  // no control characters are left
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace seep::exporters
