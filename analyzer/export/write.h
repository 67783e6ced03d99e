// How an export leaves the analyzer: piece by piece, so that no format needs the whole text at
// once.
#pragma once

#include <functional>
#include <string_view>

namespace seep::exporters {

// Takes the next bytes of the file.
using Write = std::function<void(std::string_view bytes)>;

}  // namespace seep::exporters
