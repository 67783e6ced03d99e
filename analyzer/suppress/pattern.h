// How the two formats compare a pattern with a name. Stateless, safe from any thread; the time is
// bounded by the product of the lengths, whatever the pattern.
#pragma once

#include <string_view>

namespace seep::suppress {

// LeakSanitizer's: the pattern may stand anywhere in `text`; ^ at its begin and $ at its end tie it
// there, * is any text. What follows a $ is ignored, and an empty text matches nothing.
bool matches_anywhere(std::string_view pattern, std::string_view text);

// Valgrind's: the whole text; * is any text, ? any character, \ takes the next one as it is.
bool matches_whole(std::string_view pattern, std::string_view text);

}  // namespace seep::suppress
