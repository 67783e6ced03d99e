// Text from other people's files and processes, made safe for a terminal. Pure, thread safe.
#pragma once

#include <string>
#include <string_view>

namespace seep::model {

// Control characters (C0, DEL, C1), code points that are no characters, characters that reorder
// text and bytes that are no UTF-8 appear as \xNN; everything else stays.
std::string printable(std::string_view text);

}  // namespace seep::model
