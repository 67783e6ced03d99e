// Whether PHP's frames are laid out as its version has them. Context: IN-HOOK.
#pragma once

#include <cstdint>

#include "preload/script/php_layout.h"

namespace seep::script {

// Looks at the functions of a stack, from its innermost frame outward, without believing any
// pointer; how many of them are written in PHP, at most `most`, or -1 where one is not what it
// should be.
int count_php_functions(const PhpLayout& layout, std::uint64_t frame, int most);

}  // namespace seep::script
