// Text as a value of JSON.
#pragma once

#include <string>
#include <string_view>

namespace seep::exporters {

// In quotes. Control characters and bytes that are no UTF-8 stand as \xNN in it, as in every
// format.
std::string json_text(std::string_view text);

}  // namespace seep::exporters
