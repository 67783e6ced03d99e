// Text of other people's files and processes, made safe for XML and HTML. Pure, thread safe.
#pragma once

#include <string>
#include <string_view>

namespace seep::model {

// For an attribute or the text of an element. Control characters, and bytes that are no UTF-8,
// stand as \xNN: XML does not allow them.
std::string xml_text(std::string_view text);

}  // namespace seep::model
