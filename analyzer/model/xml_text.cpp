#include "analyzer/model/xml_text.h"

#include "analyzer/model/printable.h"

namespace seep::model {

std::string xml_text(std::string_view text) {
  std::string escaped;
  for (const char c : model::printable(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace seep::model
