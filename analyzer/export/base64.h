// Bytes as text of 64 harmless characters (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

namespace seep::exporters {

// Padded with '=' to a multiple of four.
std::string base64(std::string_view bytes);

}  // namespace seep::exporters
