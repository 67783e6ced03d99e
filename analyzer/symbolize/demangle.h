// Names as the programmer wrote them. Stateless, safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace seep::symbolize {

// A symbol's name without what the tool chain added to it: C++ and Rust (both manglings) are
// demangled, with parameters in C++; Rust's hash, a symbol version ("@@GLIBC_2.2.5") and the
// suffixes of cloned functions (".cold", ".isra.0") are left out, so that a function has one name
// in every build. A name that is not mangled comes back as it is.
std::string demangle(std::string_view symbol);

}  // namespace seep::symbolize
