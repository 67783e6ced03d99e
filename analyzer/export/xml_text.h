// Text for XML.
#pragma once

#include <string>
#include <string_view>

namespace seep::exporters {

// For an attribute or the text of an element. Control characters, and bytes that are no UTF-8,
// stand as \xNN: XML does not allow them.
std::string xml_text(std::string_view text);

}  // namespace seep::exporters
