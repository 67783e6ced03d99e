// Reads a whole file that a user names. Thread safe.
#pragma once

#include <cstddef>
#include <string>

#include "analyzer/model/result.h"

namespace seep::cli {

// At most `most` bytes and one: the caller refuses what is longer. A pipe is read to its end.
// `advice` is for the message when it cannot be read.
Result<std::string> read_text(const std::string& file, std::size_t most, const std::string& advice);

}  // namespace seep::cli
